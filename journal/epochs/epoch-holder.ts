import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { fault, type Fault, toFault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { jsonOrText } from '../../schemas/json.js';
import { LOG } from '../../schemas/log.js';
import { epochSubject } from '../../schemas/subjects.js';
import { linkedRequest } from '../../link/linked-request.js';
import { headersOf, lastHeaderOf } from '../../link/message-headers.js';

const TIMEOUT_MS = 5_000;
const NOT_FOUND = 404;

/** What an epoch record says, as far as it can be read: of one that is damaged only its place counts. */
interface LastEpochRecord {
  readonly seq: number;
  readonly by?: unknown;
  readonly phase?: unknown;
  readonly ends?: unknown;
}

const fieldsOf = (data: Uint8Array): Omit<LastEpochRecord, 'seq'> => {
  const said = jsonOrText(data);
  return typeof said === 'object' && said !== null ? said : {};
};

/** The epoch record that was written last for a producer; undefined: it has never been one. */
const lastEpochRecord = (
  nc: NatsConnection,
  producer: string,
): TE.TaskEither<Fault, LastEpochRecord | undefined> =>
  TE.tryCatch(
    async () => {
      const subject = `$JS.API.DIRECT.GET.${LOG}.${epochSubject(producer)}`;
      const reply = await linkedRequest(nc, subject, '', { timeout: TIMEOUT_MS });
      const stored = lastHeaderOf(reply, HEADER.storedSequence);
      // A stored record can have a status in its headers too.
      if (stored === undefined && headersOf(reply).code === NOT_FOUND) return undefined;
      const { by, phase, ends } = fieldsOf(reply.data);
      return { by, phase, ends, seq: Number(stored) };
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

/** The epoch of a producer's last records; undefined: there is none, or it has ended and its end is unknown. */
export const lastEpochOf = (nc: NatsConnection, producer: string): TE.TaskEither<Fault, number | undefined> =>
  pipe(
    lastEpochRecord(nc, producer),
    TE.map((last) => {
      if (last?.phase !== 'fence') return last?.seq;
      return Number.isSafeInteger(last.ends) ? Number(last.ends) : undefined;
    }),
  );
