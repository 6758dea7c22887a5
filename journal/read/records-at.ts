import { formatInstant } from '../../schemas/instant.js';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { createInbox, type Msg } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage } from '../../schemas/record.js';
import { linkState } from '../../link/link-state.js';
import { headerOf, headersOf, lastHeaderOf } from '../../link/message-headers.js';
import { type LogApi, STREAM } from './reader-api.js';

/** Requests on their way at a time: enough to hide the way, and of the largest records no more than some hundred MB. */
const IN_FLIGHT = 256;
const SILENCE_MS = 5_000;

/** What the server says of a record that it was asked for by its sequence, behind the headers of its sender. */
const TIME_HEADER = 'Nats-Time-Stamp';
const SUBJECT_HEADER = 'Nats-Subject';

class AskedRecord implements StoredMessage {
  constructor(
    readonly seq: number,
    private readonly message: Msg,
  ) {}

  get subject(): string {
    return lastHeaderOf(this.message, SUBJECT_HEADER) ?? '';
  }

  get time(): string {
    return formatInstant(this.timeMs);
  }

  get timeMs(): number {
    return Date.parse(lastHeaderOf(this.message, TIME_HEADER) ?? '');
  }

  get data(): Uint8Array {
    return this.message.data;
  }

  header(name: string): string | undefined {
    return headerOf(this.message, name);
  }
}

/** Why there is no record, where there is none. */
const refusal = (seq: number, message: Msg): Fault | undefined => {
  const { code, description } = headersOf(message);
  // Only the server says where a record stands; what its sender wrote may look like a status.
  if (code === 0 || lastHeaderOf(message, HEADER.storedSequence) === `${seq}`) return undefined;
  if (code === 404) return fault('LOG_MISMATCH', `the log has no record ${seq}, which it had`);
  const said = `${code} ${description}`.trim();
  return fault('LOG_UNAVAILABLE', `the log did not give record ${seq}: ${said}`);
};

/**
 * Records by their sequences, in that order: each is asked for by itself, many at a time, at some 20 us each; nothing
 * is searched. LOG_MISMATCH where one of them is not there.
 */
export const recordsAt =
  ({ nc, prefix }: LogApi, sequences: readonly number[]): TaskEither<Fault, readonly StoredMessage[]> =>
  () =>
    new Promise((resolve) => {
      if (sequences.length === 0) return resolve(right([]));
      const inbox = createInbox();
      const records: StoredMessage[] = new Array(sequences.length);
      let [asked, came, seen] = [0, 0, 0];
      const end = (outcome: Either<Fault, readonly StoredMessage[]>): void => {
        clearInterval(watch);
        forget();
        if (!nc.isClosed()) subscription.unsubscribe();
        resolve(outcome);
      };
      const lost = (reason: string): void => end(left(fault('LOG_UNAVAILABLE', reason)));
      const ask = (): void => {
        while (asked < sequences.length && asked - came < IN_FLIGHT) {
          const reply = `${inbox}.${asked}`;
          nc.publish(`${prefix}.DIRECT.GET.${STREAM}`, `{"seq":${sequences[asked]}}`, { reply });
          asked += 1;
        }
      };
      const forget = linkState(nc).onLost(lost);
      const watch = setInterval(() => {
        if (came === seen) lost(`the log did not give record ${sequences[came]} within ${SILENCE_MS} ms`);
        seen = came;
      }, SILENCE_MS);
      const subscription = nc.subscribe(`${inbox}.*`, {
        callback: (error, message) => {
          if (error !== null) return end(left(fault('SERVER_REFUSED', error.message)));
          const i = Number(message.subject.slice(inbox.length + 1));
          const seq = sequences[i] as number;
          const problem = refusal(seq, message);
          if (problem !== undefined) return end(left(problem));
          records[i] = new AskedRecord(seq, message);
          came += 1;
          if (came === sequences.length) end(right(records));
          else ask();
        },
      });
      ask();
    });
