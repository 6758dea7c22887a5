import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Fault } from '../../schemas/errors.js';
import type { Outbox } from '../../journal/producer/outbox.js';
import { claimDataDir } from '../../system/processes/owner.js';
import { LmdbOutbox } from './lmdb-outbox.js';

/**
 * The outbox of an outside program, in a separate directory, which no other process may open as long as this one lives:
 * DATA_DIR_IN_USE names it.
 */
export const openOwnOutbox =
  (dir: string, onFault: (reason: Fault) => void): TaskEither<Fault, Outbox> =>
  async () => {
    const claim = await claimDataDir(dir)();
    if (E.isLeft(claim)) return claim;
    const opened = await LmdbOutbox.open({ dir: join(dir, 'records'), onFault })();
    if (E.isLeft(opened)) {
      await claim.right.release();
      return opened;
    }
    const outbox = opened.right;
    return E.right({
      left: outbox.left,
      begin: (sent) => outbox.begin(sent),
      keep: (kept, onKept) => outbox.keep(kept, onKept),
      settled: (order, settledSeq) => outbox.settled(order, settledSeq),
      forget: (order) => outbox.forget(order),
      close: async () => {
        await outbox.close();
        await claim.right.release();
      },
    });
  };
