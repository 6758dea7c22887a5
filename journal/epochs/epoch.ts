import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { headers as makeHeaders, type NatsConnection } from 'nats';
import { type Fault, toFault } from '../../schemas/errors.js';
import { HEADER, SCHEMA_VERSION } from '../../schemas/headers.js';
import { encodeJson } from '../../schemas/json.js';
import type { StoredMessage } from '../../schemas/record.js';
import { epochSubject } from '../../schemas/subjects.js';
import { failPoint } from '../../system/processes/fail-point.js';
import { linkedRequest } from '../../link/linked-request.js';
import { parsePubAck } from '../../link/pub-ack.js';
import { readLog } from '../read/reader.js';
import { type EpochEnd, NumberRecovery } from '../append/recovery.js';

/**
 * Payload of an epoch record. `fence` shuts the old epoch out; `open`, behind it, is the new epoch and the fence's F.
 */
export interface EpochRecord {
  readonly phase: 'fence' | 'open';
  readonly producer: string;
  /** Which process holds the name; absent where the broker sees to it that there is one only. */
  readonly by?: string;
  /** The epoch that a fence ends, where it is known. */
  readonly ends?: number;
  /** How the epoch before ended; null when nothing of it stands where it was looked for. */
  readonly previous?: EpochEnd | null;
}

/** The producer name under which a broker takes the log over from the one before. */
export const BROKER = 'broker';

const WRITE_TIMEOUT_MS = 10_000;

/**
 * Writes an epoch record. `under` is the writing broker's own epoch: once another broker has taken over, the server
 * refuses, and the answer is EPOCH_LOST.
 */
export const writeEpoch = (
  nc: NatsConnection,
  record: EpochRecord,
  under: number | null,
): TE.TaskEither<Fault, number> =>
  pipe(
    TE.tryCatch(
      () => {
        const headers = makeHeaders();
        headers.set(HEADER.schema, SCHEMA_VERSION);
        if (under !== null) {
          headers.set(HEADER.fenceSequence, String(under));
          headers.set(HEADER.fenceSubject, epochSubject(BROKER));
        }
        return linkedRequest(nc, epochSubject(record.producer), encodeJson(record), {
          headers,
          timeout: WRITE_TIMEOUT_MS,
        });
      },
      (error) => toFault(error, 'LOG_UNAVAILABLE'),
    ),
    TE.chainEitherK(parsePubAck),
    TE.map(({ seq }) => seq),
  );

/** Takes the log over: from here on no other broker can open an epoch. */
export const openBrokerEpoch = (nc: NatsConnection): TE.TaskEither<Fault, number> =>
  writeEpoch(nc, { phase: 'open', producer: BROKER }, null);

/** Where to begin looking for what the last epoch left. */
export interface Look {
  readonly fromSeq: number;
  /** Between here and `fromSeq` the log has no record of the producer: it is as if that had been looked at too. */
  readonly knownFrom: number;
}

export interface EpochRequest {
  readonly nc: NatsConnection;
  readonly producer: string;
  readonly by?: string;
  /** The broker's own epoch. */
  readonly under: number;
  /** Where to begin looking for what the last epoch left; absent: nothing is looked for. */
  readonly fromSeq?: number;
  /** The same where it is known only when nothing more can come: told the sequence of the fence. */
  readonly lookFrom?: (fence: number) => Promise<Look>;
  /** How many records of the log before the fence are looked at, at most. */
  readonly lookBack?: number;
  /** The epoch that is ended, where it is known. */
  readonly ends?: number;
  /** What the subjects of the producer's records begin with. */
  readonly prefixes: readonly string[];
  /** Whether a record with the producer's name can be of that epoch of the producer. */
  readonly believes: (message: StoredMessage, epoch: number) => boolean;
  /** What the producer was told of that epoch, where it is still there to say it. */
  readonly known?: EpochEnd;
  /** Whether {@link OpenedEpoch.stored} is asked for, which holds all that the last epoch stored. Default true. */
  readonly keepsStored?: boolean;
  /** Sees every record of those subjects, from `fromSeq` to the fence. */
  readonly visit?: (message: StoredMessage) => void;
}

export interface OpenedEpoch {
  readonly epoch: number;
  /** No record of an earlier epoch stands above this sequence. */
  readonly fence: number;
  /** Records of the epoch before by their numbers, from `fromSeq` on. */
  readonly stored: ReadonlyMap<number, readonly StoredMessage[]>;
}

const lookBehind = (fromSeq: number | undefined, atMost: number): Look | undefined => {
  if (fromSeq === undefined) return undefined;
  const from = Math.max(fromSeq, atMost);
  return { fromSeq: from, knownFrom: from };
};

/**
 * Ends a producer's epoch and opens the next. First a record that shuts the old one out: from then on what is stored of
 * it can be read once and for all. Then the record that is the new epoch and says how the old one ended.
 */
export const openEpoch = ({
  nc,
  producer,
  by,
  under,
  fromSeq,
  lookFrom,
  lookBack = Number.POSITIVE_INFINITY,
  ends,
  prefixes,
  believes,
  known,
  keepsStored,
  visit,
}: EpochRequest): TE.TaskEither<Fault, OpenedEpoch> => {
  const holder = { producer, ...(by === undefined ? {} : { by }) };
  return pipe(
    writeEpoch(nc, { phase: 'fence', ...holder, ...(ends === undefined ? {} : { ends }) }, under),
    TE.chain((fence) =>
      TE.tryCatch(
        async () => {
          failPoint('epoch.fenced');
          const look = lookFrom === undefined ? lookBehind(fromSeq, fence - lookBack) : await lookFrom(fence);
          if (look === undefined) return { fence, numbers: new NumberRecovery(producer, believes, fence) };
          const numbers = new NumberRecovery(producer, believes, look.knownFrom, keepsStored);
          const isMeant = (subject: string): boolean => prefixes.some((prefix) => subject.startsWith(prefix));
          // All of the log, and looked through here: to find the next record for filters, nats-server 2.15.1 goes
          // through the subjects of a block, which with 10,000 of them took it 5 ms a record.
          for await (const message of readLog(nc, { fromSeq: look.fromSeq, toSeq: fence })) {
            if (!isMeant(message.subject)) continue;
            numbers.add(message);
            visit?.(message);
          }
          return { fence, numbers };
        },
        (error) => toFault(error, 'LOG_UNAVAILABLE'),
      ),
    ),
    TE.chain(({ fence, numbers }) =>
      pipe(
        writeEpoch(nc, { phase: 'open', ...holder, previous: numbers.end(known) }, under),
        TE.chainFirstIOK(() => () => failPoint('epoch.opened')),
        TE.map((epoch) => ({ epoch, fence, stored: numbers.stored })),
      ),
    ),
  );
};

/** The broker that wrote under this fault's epoch has been replaced: it must stop, not try again. */
export const isReplaced = (problem: Fault): boolean => problem.code === 'EPOCH_LOST';
