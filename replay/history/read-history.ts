import type { NatsConnection } from 'nats';
import { type ReadOptions, readLog } from '../../journal/read/reader.js';
import { conversationOf, type HistoryRecord, toHistory, type WholeMessage } from '../../schemas/record.js';
import { limitedSignal } from '../../system/async/limited-signal.js';
import { newest } from './newest.js';
import { Places } from './history-places.js';
import { bySubject, checkRange, queryFilters, fits, type HistoryEnd, type HistoryQuery } from './query.js';

/** Records asked for at first where only some of them will fit. */
const SOME = 256;
/** The longest that a timer can wait. */
const LONGEST_MS = 2 ** 31 - 1;
const NOWHERE: HistoryEnd = { next: null, previous: null };

/** A record, and the line of history that it is, which is made when it is asked for. */
export class FoundRecord {
  #record: HistoryRecord | undefined;

  constructor(readonly message: WholeMessage) {}

  get seq(): number {
    return this.message.seq;
  }

  get record(): HistoryRecord {
    this.#record ??= toHistory(this.message);
    return this.#record;
  }
}

const hasFilter = ({ module, agent, sender, kind, name, conversation }: HistoryQuery): boolean =>
  [module, agent, sender, kind, name, conversation].some((value) => value !== undefined);

class HistoryReader {
  readonly #places: Places;
  readonly #filters: readonly string[] | undefined;
  /** Last record that was passed on. */
  #at = 0;
  #found = 0;

  constructor(
    private readonly nc: NatsConnection,
    private readonly query: HistoryQuery,
  ) {
    checkRange(query);
    this.#filters = queryFilters(query);
    this.#places = new Places(nc, query);
  }

  async *read(): AsyncGenerator<FoundRecord, HistoryEnd, void> {
    const { limit, last, follow } = this.query;
    // No filter at all would read the whole log for what cannot be in it.
    if (limit === 0 || this.#filters?.length === 0) return NOWHERE;
    const end = last === undefined ? NOWHERE : yield* this.#newest(last);
    if (last !== undefined && follow !== true) return end;
    yield* this.#following();
    if (!this.#isFull || follow === true) return NOWHERE;
    return { next: this.#at < (await this.#lastSeq()) ? this.#at + 1 : null, previous: null };
  }

  get #isFull(): boolean {
    return this.#found >= (this.query.limit ?? Number.POSITIVE_INFINITY);
  }

  /** Nothing of a conversation is before its first record, whose sequence is its name. */
  get #firstSeq(): number {
    const { conversation, from } = this.query;
    return Math.max(conversation ?? 1, typeof from === 'number' ? from : 1, this.#at + 1);
  }

  /** The last sequence that there is in the range, now. */
  async #lastSeq(): Promise<number> {
    const { to } = this.query;
    const end = await this.#places.end();
    const last = to instanceof Date ? await this.#places.until(to) : to;
    return Math.min(end, last ?? end);
  }

  async *#newest(count: number): AsyncGenerator<FoundRecord, HistoryEnd, void> {
    const { from } = this.query;
    const end = await this.#lastSeq();
    const first = from instanceof Date ? ((await this.#places.since(from)) ?? end + 1) : this.#firstSeq;
    const last =
      this.#filters === undefined ? end : Math.min(end, (await this.#places.lastOf(this.#filters)) ?? 0);
    const window = bySubject(this.query) && this.#filters === undefined ? count : Math.max(count, SOME);
    const read = (fromSeq: number, toSeq: number) => this.#records({ fromSeq, toSeq });
    const records = await newest(read, { first, last, count, window });
    yield* records;
    this.#at = end;
    const { seq } = records[0] ?? { seq: first };
    return { next: null, previous: records.length === count && seq > first ? seq - 1 : null };
  }

  /** Forward, to the end of the range. */
  async *#following(): AsyncGenerator<FoundRecord, void, void> {
    const { to, follow, signal } = this.query;
    // What ends at a time to come ends then, whether or not a later record comes.
    while (follow === true && to instanceof Date && to.getTime() > Date.now()) {
      const limit = limitedSignal(Math.min(LONGEST_MS, to.getTime() - Date.now()), signal);
      try {
        yield* this.#forward({ follow: true, signal: limit.signal });
      } finally {
        limit.end();
      }
      if (this.#isFull || signal?.aborted === true) return;
    }
    if (!(to instanceof Date)) return yield* this.#forward({ follow: follow === true, toSeq: to });
    yield* this.#forward({ toSeq: await this.#places.until(to) });
  }

  async *#forward(options: Partial<HistoryRange>): AsyncGenerator<FoundRecord, void, void> {
    for await (const record of this.#records({ fromSeq: this.#firstSeq, ...options })) {
      this.#at = record.seq;
      this.#found += 1;
      yield record;
      if (this.#isFull) return;
    }
  }

  async *#records(range: HistoryRange): AsyncGenerator<FoundRecord, void, void> {
    const { query } = this;
    const from = query.from instanceof Date ? query.from.getTime() : 0;
    const to = query.to instanceof Date ? query.to.getTime() : Number.POSITIVE_INFINITY;
    const isNarrowed = hasFilter(query);
    for await (const message of readLog(this.nc, this.#readOptions(range))) {
      if (message.timeMs > to) return;
      if (message.timeMs < from) continue;
      // Most records of a log are of other conversations, and their payloads need not be read to see that.
      if (query.conversation !== undefined && conversationOf(message) !== query.conversation) continue;
      const found = new FoundRecord(message);
      if (!isNarrowed || fits(query, found.record)) yield found;
    }
  }

  #readOptions({ fromSeq, toSeq, follow = false, signal = this.query.signal }: HistoryRange): ReadOptions {
    const { from, limit, patienceMs } = this.query;
    return {
      fromSeq,
      follow,
      // A reader of history is an operator, in a separate account.
      ...(toSeq === undefined ? {} : { toSeq }),
      ...(this.#filters === undefined ? {} : { filters: this.#filters }),
      ...(from instanceof Date ? { fromTime: from } : {}),
      ...(limit === undefined ? {} : { firstPull: bySubject(this.query) ? limit : Math.max(limit, SOME) }),
      ...(signal === undefined ? {} : { signal }),
      ...(patienceMs === undefined ? {} : { patienceMs }),
    };
  }
}

interface HistoryRange {
  readonly fromSeq: number;
  readonly toSeq?: number | undefined;
  readonly follow?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The records of the log that fit the query, in order. Ends behind the last one that was there when reading began,
 * at `to` or at `limit`; with `follow`, at those or never. What the generator returns says where the next page is.
 * Throws NAME_INVALID, USAGE where `from` is behind `to`, and as `readLog` does.
 */
export async function* history(
  nc: NatsConnection,
  query: HistoryQuery = {},
): AsyncGenerator<HistoryRecord, HistoryEnd, void> {
  const found = new HistoryReader(nc, query).read();
  try {
    let step = await found.next();
    for (; step.done !== true; step = await found.next()) yield step.value.record;
    return step.value;
  } finally {
    await found.return(NOWHERE);
  }
}

/** As {@link history}, with all that the log holds of each record. */
export const historyMessages = (
  nc: NatsConnection,
  query: HistoryQuery = {},
): AsyncGenerator<FoundRecord, HistoryEnd, void> => new HistoryReader(nc, query).read();
