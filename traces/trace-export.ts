import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { readLogBatches } from '../journal/read/reader.js';
import { logEnds, type LogApi, type LogEnds } from '../journal/read/reader-api.js';
import { recordsAt } from '../journal/read/records-at.js';
import { FaultError } from '../schemas/errors.js';
import type { StoredMessage, WholeMessage } from '../schemas/record.js';
import type { TraceSettings } from '../schemas/trace-settings.js';
import type { TracesNews } from '../schemas/traces-process.js';
import { pause } from '../system/async/pause.js';
import { otlpJson } from './otlp-json.js';
import { type CollectorReply, sendSpans } from './otlp-sender.js';
import type { TraceSpan } from './trace-span.js';
import { SpanFold } from './span-fold.js';
import { readTracePosition, writeTracePosition } from './trace-position.js';

export interface TraceExportOptions {
  readonly nc: NatsConnection;
  readonly settings: TraceSettings;
  readonly dataDir: string;
  readonly version: string;
  readonly say: (text: string) => void;
  readonly tell: (news: TracesNews) => void;
  /** How many records the export may be behind the log before it leaves some out. */
  readonly mostBehind?: number;
}

const MOST_BEHIND = 1_000_000;
/** Records that are read again after a restart, for commands that are open since then. */
const MOST_AGAIN = 100_000;
const FIRST_PAUSE_MS = 500;
const MOST_PAUSE_MS = 30_000;

const NO_NEWS = { exported: 0, failures: 0, refused: 0, unsampled: 0, skipped: 0 };

/**
 * Reads the log, and sends the spans that its records end. The log keeps what could not be sent: while the collector
 * does not answer, reading stops, and at most one request and one batch of records are in memory.
 */
export class TraceExport {
  readonly #api: LogApi;
  readonly #stop = new AbortController();
  readonly #mostBehind: number;
  #fold: SpanFold | undefined;
  #logId = '';
  /** Up to here, all records are in the fold. */
  #folded = 0;
  /** Up to here, all spans are exported. */
  #position = 0;
  /** Spans of records up to here were exported before this process began. */
  #known = 0;
  #saved = -1;
  #pending: TraceSpan[] = [];
  #sending: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  /** Where reading must begin again, if it is too far behind. */
  #jumpTo: number | undefined;
  #news = { ...NO_NEWS };
  #isDown = false;

  constructor(private readonly options: TraceExportOptions) {
    this.#api = { nc: options.nc, prefix: '$JS.API' };
    this.#mostBehind = options.mostBehind ?? MOST_BEHIND;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Sends once what waits. What the collector does not take, the next start sends. */
  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#running;
    await this.#sending;
    if (!this.#isDown) await this.#sendOnce();
    await this.#save();
  }

  async #run(): Promise<void> {
    const { say } = this.options;
    const { signal } = this.#stop;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        await this.#open();
        await this.#read();
        pauseMs = FIRST_PAUSE_MS;
      } catch (thrown) {
        if (signal.aborted) return;
        say(`the log cannot be read: ${(thrown as Error).message}; this is tried again`);
        await this.#wait(pauseMs);
        pauseMs = Math.min(MOST_PAUSE_MS, pauseMs * 2);
      }
    }
  }

  /** Finds where to begin. The first export of a log begins at its end. */
  async #open(): Promise<void> {
    const ends = await this.#ends();
    if (this.#logId === ends.logId && this.#folded <= ends.lastSeq) return;
    const { settings, dataDir } = this.options;
    const { logId } = ends;
    const kept = await readTracePosition(dataDir, logId);
    const position = kept === undefined ? ends.lastSeq : Math.min(kept.position, ends.lastSeq);
    this.#fold = new SpanFold({ logId, sampler: settings.sampler, recordAt: (seq) => this.#recordAt(seq) });
    this.#logId = logId;
    this.#pending = [];
    this.#known = position;
    this.#position = position;
    this.#folded = Math.min(position, Math.max((kept?.from ?? position + 1) - 1, position - MOST_AGAIN));
    this.#look(ends);
    await this.#save();
  }

  async #ends(): Promise<LogEnds> {
    const ends = await logEnds(this.#api);
    if (isLeft(ends)) throw new FaultError(ends.left.fault);
    return ends.right;
  }

  async #recordAt(seq: number): Promise<StoredMessage | undefined> {
    const found = await recordsAt(this.#api, [seq])();
    if (!isLeft(found)) return found.right[0];
    if (found.left.code === 'LOG_MISMATCH') return undefined;
    throw new FaultError(found.left);
  }

  /** Until the export ends, or must continue further on. */
  async #read(): Promise<void> {
    const { nc } = this.options;
    const { signal } = this.#stop;
    if (this.#jumpTo !== undefined) this.#jump(this.#jumpTo);
    const range = { fromSeq: this.#folded + 1, follow: true };
    for await (const records of readLogBatches(nc, { ...range, signal })) {
      for (const record of records) {
        await this.#add(record);
        if (signal.aborted || this.#jumpTo !== undefined) return;
      }
      this.#timer ??= setTimeout(() => this.#due(), this.options.settings.delayMs);
    }
  }

  async #add(record: WholeMessage): Promise<void> {
    const span = await this.#fold?.add(record);
    this.#folded = record.seq;
    if (record.seq <= this.#known || span === undefined) return;
    if (span.sampled) this.#pending.push(span);
    else this.#news.unsampled += 1;
    if (this.#pending.length >= this.options.settings.mostSpans) await this.#flush();
  }

  #due(): void {
    this.#timer = undefined;
    void this.#flush();
  }

  /** Sends what waits, and does not return before the collector has taken it. Requests go one by one. */
  #flush(): Promise<void> {
    this.#sending = this.#sending.then(async () => {
      let pauseMs = FIRST_PAUSE_MS;
      while (!this.#stop.signal.aborted) {
        const waitMs = await this.#sendOnce();
        if (waitMs === 'done') break;
        await this.#wait(Math.max(waitMs, pauseMs));
        pauseMs = Math.min(MOST_PAUSE_MS, pauseMs * 2);
      }
      await this.#save();
    });
    return this.#sending;
  }

  /** `done`, or how long the collector asks to wait. */
  async #sendOnce(): Promise<'done' | number> {
    const { settings, version } = this.options;
    const spans = this.#pending.slice(0, settings.mostSpans);
    const last = spans.at(-1);
    const folded = Math.max(this.#folded, this.#known);
    const isAll = spans.length === this.#pending.length;
    if (last !== undefined) {
      const sent = await sendSpans(settings, otlpJson(spans, settings, version));
      this.#heard(sent, spans.length);
      if (sent.kind === 'later') return sent.waitMs ?? 0;
      this.#pending.splice(0, spans.length);
    }
    this.#position = Math.max(this.#position, isAll ? folded : (last?.endedBy ?? folded));
    return isAll ? 'done' : this.#sendOnce();
  }

  #heard(sent: CollectorReply, spans: number): void {
    const { say, settings } = this.options;
    const { shownUrl } = settings;
    if (sent.kind === 'later') {
      this.#news.failures += 1;
      if (!this.#isDown)
        say(`${shownUrl} takes no spans: ${sent.reason}; the log keeps them, and this is tried again`);
      this.#isDown = true;
      this.#tell();
      return;
    }
    if (this.#isDown) say(`${shownUrl} takes spans again`);
    this.#isDown = false;
    const refused = sent.kind === 'refused' ? spans : Math.min(spans, sent.refused);
    this.#news.refused += refused;
    this.#news.exported += spans - refused;
    if (refused > 0) say(`${shownUrl} refused ${refused} of ${spans} spans: ${sent.reason}`);
  }

  /** Keeps the position, and looks how far behind it is. */
  async #save(): Promise<void> {
    const { dataDir, say } = this.options;
    this.#tell();
    const position = this.#position;
    if (position === this.#saved) return;
    const from = Math.max(1, Math.min(position, this.#fold?.oldestOpen ?? position), position - MOST_AGAIN);
    try {
      await writeTracePosition(dataDir, { logId: this.#logId, position, from: Math.min(from, position) });
      this.#saved = position;
      if (!this.#stop.signal.aborted) this.#look(await this.#ends());
    } catch (thrown) {
      say(`the position of the traces is not kept: ${(thrown as Error).message}`);
    }
  }

  #tell(): void {
    this.options.tell({ ...this.#news, position: this.#position });
    this.#news = { ...NO_NEWS };
  }

  #look({ lastSeq }: LogEnds): void {
    if (lastSeq - Math.max(this.#folded, this.#known) > this.#mostBehind) this.#jumpTo = lastSeq;
  }

  #jump(to: number): void {
    const from = Math.max(this.#folded, this.#known);
    const skipped = to - from;
    this.options.say(
      `traces are ${skipped} records behind; no spans are exported of the records ${from + 1} to ${to}`,
    );
    this.#news.skipped += skipped;
    this.#jumpTo = undefined;
    this.#folded = to;
    this.#known = to;
    if (this.#pending.length === 0) this.#position = to;
  }

  #wait(ms: number): Promise<void> {
    return pause(ms, { signal: this.#stop.signal });
  }
}
