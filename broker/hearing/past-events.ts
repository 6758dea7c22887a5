import type { NatsConnection } from 'nats';
import { readLogBatches } from '../../journal/read/reader.js';
import { FaultError, fault } from '../../schemas/errors.js';
import type { WholeMessage } from '../../schemas/record.js';

/** Stretches of the log that are open at a time, of all listeners of a process: each holds some megabytes. */
const MOST_OPEN = 16;
/** A stretch is closed when nobody has asked for so long. */
const IDLE_MS = 1_000;
/** Of the log, as much waits in memory for the next page, at most twice. A record is smaller than this. */
const AHEAD_BYTES = 1_536 * 1_024;

let openStretches = 0;

/** What to read of the log. */
export interface PastRange {
  readonly filters: readonly string[];
  /** Events behind this sequence, */
  readonly after: number;
  /** up to this one, */
  readonly toSeq: number;
  /** of these subjects, */
  readonly isHeard: (subject: string) => boolean;
  /** so many of them and so many bytes at most; at least one event. */
  readonly limit: number;
  readonly mostBytes: number;
}

/** Events of the log, in its order. */
export interface HeardPage {
  readonly events: readonly WholeMessage[];
  /** There are no others up to here. */
  readonly upTo: number;
}

/** A stretch of the log that is being read, and the events that were read and may be asked for again. */
class OpenStretch {
  readonly #over = new AbortController();
  readonly #batches: AsyncGenerator<readonly WholeMessage[], void, void>;
  readonly #isHeard: (subject: string) => boolean;
  #events: WholeMessage[] = [];
  /** No page behind an earlier sequence can be given. */
  #after: number;
  #readTo: number;
  #isDone = false;

  constructor(
    nc: NatsConnection,
    private readonly range: PastRange,
  ) {
    const { filters, after, toSeq, limit, isHeard } = range;
    this.#after = after;
    this.#readTo = after;
    this.#isHeard = isHeard;
    this.#batches = readLogBatches(nc, {
      filters,
      fromSeq: after + 1,
      toSeq,
      firstPull: limit,
      pulls: 1,
      aheadBytes: AHEAD_BYTES,
      signal: this.#over.signal,
    });
  }

  /** Whether it can give what is behind a sequence without a look at the log before it. */
  has(after: number): boolean {
    return after >= this.#after && after <= this.#readTo && after < this.range.toSeq;
  }

  async page(after: number, limit: number, mostBytes: number): Promise<HeardPage> {
    this.#after = after;
    const first = this.#events.findIndex(({ seq }) => seq > after);
    this.#events.splice(0, first === -1 ? this.#events.length : first);
    let bytes = 0;
    for (let count = 0; ; count += 1) {
      if (count === limit || (count > 0 && bytes > mostBytes)) return this.#first(count);
      while (count === this.#events.length && !this.#isDone) await this.#read(after);
      const event = this.#events[count];
      if (event === undefined) return { events: this.#events.slice(), upTo: this.range.toSeq };
      bytes += event.data.length;
    }
  }

  close(): void {
    this.#over.abort();
    // What ends it is not of concern: the next stretch begins behind the last event that was given.
    this.#batches.return().catch(() => undefined);
  }

  #first(count: number): HeardPage {
    const events = this.#events.slice(0, count);
    return { events, upTo: events.at(-1)?.seq ?? this.range.toSeq };
  }

  async #read(after: number): Promise<void> {
    const { value, done } = await this.#batches.next();
    // A reader that was stopped ends as one that is through: what it says would be wrong.
    if (this.#over.signal.aborted)
      throw new FaultError(fault('LOG_UNAVAILABLE', 'the reader is closed just now'));
    if (done === true || value === undefined) {
      this.#isDone = true;
      return;
    }
    this.#readTo = value.at(-1)?.seq ?? this.#readTo;
    for (const message of value)
      if (message.seq > after && this.#isHeard(message.subject)) this.#events.push(message);
  }
}

/**
 * Events that are no longer in memory, page by page. Who asks for page after page goes on in the stretch that is being
 * read, so the server is asked for it once. A page depends on what is asked alone: a stretch is only faster.
 */
export class PastEvents {
  #stretch: OpenStretch | undefined;
  #isBusy = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly nc: NatsConnection) {}

  async page(range: PastRange): Promise<HeardPage> {
    // One at a time: a second one who asks meanwhile has a stretch for this page.
    const kept = this.#isBusy ? undefined : this.#opened(range);
    const stretch = kept ?? new OpenStretch(this.nc, range);
    if (kept !== undefined) this.#isBusy = true;
    try {
      return await stretch.page(range.after, range.limit, range.mostBytes);
    } catch (error) {
      if (kept !== undefined) this.close();
      throw error;
    } finally {
      if (kept === undefined) stretch.close();
      else this.#rest();
    }
  }

  /** Reads no more. A later page opens it again. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#stretch === undefined) return;
    this.#stretch.close();
    this.#stretch = undefined;
    openStretches -= 1;
  }

  /** The stretch in which a page is; undefined: too many are open. */
  #opened(range: PastRange): OpenStretch | undefined {
    clearTimeout(this.#timer);
    if (this.#stretch?.has(range.after) === true) return this.#stretch;
    this.close();
    if (openStretches >= MOST_OPEN) return undefined;
    openStretches += 1;
    this.#stretch = new OpenStretch(this.nc, range);
    return this.#stretch;
  }

  #rest(): void {
    this.#isBusy = false;
    this.#timer = setTimeout(() => this.close(), IDLE_MS).unref();
  }
}
