import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { FaultError, fault, type Fault, toFault } from '../../schemas/errors.js';
import { LOG } from '../../schemas/log.js';
import { epochSubject } from '../../schemas/subjects.js';
import { linkedRequest } from './linked-request.js';

const TIMEOUT_MS = 5_000;
const NOT_FOUND = 404;

/**
 * Whether the name is still held by the process that opened its last epoch: EPOCH_LOST when another has taken it over
 * since. One that was cut off meanwhile must not take it back: the two would fight for it for ever.
 */
export const checkHolder = (nc: NatsConnection, producer: string, by: string): TE.TaskEither<Fault, void> =>
  TE.tryCatch(
    async () => {
      const subject = `$JS.API.DIRECT.GET.${LOG}.${epochSubject(producer)}`;
      const reply = await linkedRequest(nc, subject, '', { timeout: TIMEOUT_MS });
      if (reply.headers?.code === NOT_FOUND) return;
      const holder = reply.json<{ by?: string }>().by;
      if (holder !== by) {
        throw new FaultError(fault('EPOCH_LOST', `another process has taken over as ${producer}`));
      }
    },
    (error) => toFault(error, 'LOG_UNAVAILABLE'),
  );
