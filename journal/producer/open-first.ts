import * as E from 'fp-ts/lib/Either.js';
import { isTransient } from '../../link/pub-ack.js';
import type { Fault } from '../../schemas/errors.js';
import { Backoff } from '../../system/async/backoff.js';
import { pause } from '../../system/async/pause.js';
import type { EpochSource, LastEpoch, NextEpoch } from '../epochs/epoch-source.js';

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;
/** How long a server or a broker that is too busy to open the first epoch is asked again. */
const OPEN_WITHIN_MS = 10_000;

/** The first epoch. If the broker is too busy, it is asked again for a while. */
export const openFirst = async (
  epochs: EpochSource,
  last: LastEpoch | undefined,
): Promise<E.Either<Fault, NextEpoch>> => {
  const until = performance.now() + OPEN_WITHIN_MS;
  const pauses = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS);
  for (;;) {
    const opened = await epochs(last)();
    if (E.isRight(opened) || !isTransient(opened.left) || performance.now() > until) return opened;
    await pause(pauses.take());
  }
};
