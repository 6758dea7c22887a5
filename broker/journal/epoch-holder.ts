import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { fault, type Fault, toFault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { LOG } from '../../schemas/log.js';
import { epochSubject } from '../../schemas/subjects.js';
import type { EpochRecord } from './epoch.js';
import { linkedRequest } from './linked-request.js';
import { headersOf, lastHeaderOf } from './message-headers.js';

const TIMEOUT_MS = 5_000;
const NOT_FOUND = 404;

interface LastEpochRecord extends EpochRecord {
  readonly seq: number;
}

/** The epoch record that was written last for a producer; undefined: it has never been one. */
const lastEpochRecord = (
  nc: NatsConnection,
  producer: string,
): TE.TaskEither<Fault, LastEpochRecord | undefined> =>
  TE.tryCatch(
    async () => {
      const subject = `$JS.API.DIRECT.GET.${LOG}.${epochSubject(producer)}`;
      const reply = await linkedRequest(nc, subject, '', { timeout: TIMEOUT_MS });
      if (headersOf(reply).code === NOT_FOUND) return undefined;
      return { ...reply.json<EpochRecord>(), seq: Number(lastHeaderOf(reply, HEADER.storedSequence)) };
    },
    (error) => toFault(error, 'LOG_UNAVAILABLE'),
  );

/**
 * Whether the name is still held by the process that opened its last epoch: EPOCH_LOST when another has taken it over
 * since. One that was cut off meanwhile must not take it back: the two would fight for it for ever.
 */
export const checkHolder = (nc: NatsConnection, producer: string, by: string): TE.TaskEither<Fault, void> =>
  pipe(
    lastEpochRecord(nc, producer),
    TE.chain((last) =>
      last === undefined || last.by === by
        ? TE.right(undefined)
        : TE.left(fault('EPOCH_LOST', `another process has taken over as ${producer}`)),
    ),
  );

/** The epoch under which a producer's last records are; undefined: there is none, or it was ended and nobody knows which. */
export const lastEpochOf = (nc: NatsConnection, producer: string): TE.TaskEither<Fault, number | undefined> =>
  pipe(
    lastEpochRecord(nc, producer),
    TE.map((last) => (last?.phase === 'fence' ? last.ends : last?.seq)),
  );
