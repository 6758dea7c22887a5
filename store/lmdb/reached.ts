import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { ErrorCode } from '../../schemas/error-table.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { pause } from '../../system/async/pause.js';

const POLL_MS = 1;
const DEFAULT_MS = 5_000;

/** How long to wait until the files have a sequence. */
export interface AtLeastOptions {
  /** How long to wait; default 5,000. */
  readonly timeoutMs?: number;
}

/** Files that stand at a sequence, such as snapshots and the index. */
interface AtSequence {
  readonly atLeast: (seq: number, options?: AtLeastOptions) => TE.TaskEither<Fault, void>;
}

/** What another process writes. */
export interface Followed {
  readonly position: () => { readonly seq: number } | undefined;
  /** What stands at a position, in the words of a message. */
  readonly what: string;
  /** The fault where it does not come to a sequence in time. */
  readonly behind: ErrorCode;
}

/** Waits until what another process writes stands at a sequence. */
export const reached =
  (
    seq: number,
    { timeoutMs = DEFAULT_MS }: AtLeastOptions,
    { what, behind, position }: Followed,
  ): TE.TaskEither<Fault, void> =>
  async () => {
    const until = performance.now() + timeoutMs;
    try {
      for (;;) {
        const at = position()?.seq ?? 0;
        if (at >= seq) return E.right(undefined);
        if (performance.now() >= until) {
          return E.left(fault(behind, `${what} stand at ${at} and did not reach ${seq} in ${timeoutMs} ms`));
        }
        await pause(POLL_MS);
      }
    } catch (error) {
      if (error instanceof FaultError) return E.left(error.fault);
      throw error;
    }
  };

/** Waits where a sequence is given. */
export const whenAtLeast = (
  files: AtSequence,
  seq: number | undefined,
  options?: AtLeastOptions,
): TE.TaskEither<Fault, void> => (seq === undefined ? TE.right(undefined) : files.atLeast(seq, options));
