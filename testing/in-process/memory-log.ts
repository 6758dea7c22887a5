import * as E from 'fp-ts/lib/Either.js';
import type { Draft } from '../../journal/append/draft.js';
import { Envelope } from '../../journal/append/envelope.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER, SCHEMA_VERSION } from '../../schemas/headers.js';
import { formatIdentity } from '../../schemas/identity.js';
import { type HistoryLine, historyLine, type StoredMessage, toHistory } from '../../schemas/record.js';

/** Nothing takes a producer over here: each has one epoch. Its records name this one. */
const EPOCH = 1;

interface NumberedProducer {
  readonly envelope: Envelope;
  n: number;
}

/** The log of one process: records in memory, in one order. */
export class MemoryLog {
  readonly #records: StoredMessage[] = [];
  readonly #lines: HistoryLine[] = [];
  readonly #producers = new Map<string, NumberedProducer>();

  /** `now`: milliseconds since 1970. */
  constructor(private readonly now: () => number) {}

  get records(): readonly StoredMessage[] {
    return this.#records;
  }

  /** Stores a record as a producer's next one; PAYLOAD_TOO_LARGE, HEADERS_TOO_LARGE, HEADER_INVALID. */
  append(name: string, draft: Draft): E.Either<Fault, StoredMessage> {
    const producer = this.#producerOf(name);
    const weight = producer.envelope.weigh(draft);
    if (typeof weight !== 'number') return E.left(weight);
    producer.n += 1;
    const headers: Readonly<Record<string, string>> = {
      [HEADER.schema]: SCHEMA_VERSION,
      ...draft.headers,
      [HEADER.id]: formatIdentity({ producer: name, epoch: EPOCH, n: producer.n }),
    };
    const timeMs = this.now();
    const record: StoredMessage = {
      seq: this.#records.length + 1,
      timeMs,
      time: new Date(timeMs).toISOString(),
      subject: draft.subject,
      header: (header) => (Object.hasOwn(headers, header) ? headers[header] : undefined),
      data: draft.data,
    };
    this.#records.push(record);
    return E.right(record);
  }

  /** The record of a sequence; LOG_UNAVAILABLE if there is none. */
  at(seq: number): E.Either<Fault, StoredMessage> {
    const record = this.#records[seq - 1];
    return record === undefined
      ? E.left(fault('LOG_UNAVAILABLE', `the log has no record ${seq}`))
      : E.right(record);
  }

  /** All records as `replay history --json` shows them. */
  history(): readonly HistoryLine[] {
    for (const record of this.#records.slice(this.#lines.length)) {
      this.#lines.push(JSON.parse(historyLine(toHistory(record))) as HistoryLine);
    }
    return [...this.#lines];
  }

  #producerOf(name: string): NumberedProducer {
    const known = this.#producers.get(name) ?? { envelope: new Envelope(name, EPOCH), n: 0 };
    this.#producers.set(name, known);
    return known;
  }
}
