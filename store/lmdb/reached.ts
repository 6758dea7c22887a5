import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, FaultError } from '../../schemas/errors.js';
import { pause } from '../../system/async/pause.js';

const POLL_MS = 1;

/** Waits until what somebody else writes stands at a sequence. Left: what `behind` makes of where it stood at the end. */
export const reached =
  (
    seq: number,
    timeoutMs: number,
    position: () => number,
    behind: (at: number) => Fault,
  ): TaskEither<Fault, void> =>
  async () => {
    const until = performance.now() + timeoutMs;
    try {
      for (;;) {
        const at = position();
        if (at >= seq) return E.right(undefined);
        if (performance.now() >= until) return E.left(behind(at));
        await pause(POLL_MS);
      }
    } catch (error) {
      if (error instanceof FaultError) return E.left(error.fault);
      throw error;
    }
  };
