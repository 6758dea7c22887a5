import { type ChildProcess, fork } from 'node:child_process';
import type { TracesCount } from '../../schemas/broker-counters.js';
import { traceSettings } from '../../schemas/trace-settings.js';
import type { TracesAssignment, TracesNews } from '../../schemas/traces-process.js';
import type { Reaper } from '../../system/processes/reaper.js';

/** A request that is under way may take so long when the broker stops. */
const STOP_MS = 2_000;
const FIRST_PAUSE_MS = 500;
const MOST_PAUSE_MS = 30_000;
/** A process that ran for so long ended by chance. */
const STEADY_MS = 60_000;

export interface TraceExporterOptions {
  /** The program that exports traces. */
  readonly entry: string;
  readonly assignment: TracesAssignment;
  /** Where it exports to, for people. */
  readonly shownUrl: string;
  /** Where the log ended when the broker began. */
  readonly position: number;
  readonly reaper: Reaper;
  readonly say: (text: string) => void;
}

/** What the broker knows of the export of its traces. */
export interface ExportedTraces {
  /** Where to; null: nowhere. */
  readonly url: string | null;
  /** What was counted since the start of the broker; `lag` is behind the record `lastSeq`. */
  readonly count: (lastSeq: number) => TracesCount | null;
  /** The process begins. It reads the log as an operator does, so the broker must serve operators. */
  readonly start: () => void;
}

const NO_TRACES: ExportedTraces = { url: null, count: () => null, start: () => undefined };

/** Starts the process that exports traces, starts it again when it ends, and adds up what it tells. */
class TraceExporter implements ExportedTraces {
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #pauseMs = FIRST_PAUSE_MS;
  #position: number;
  #counts = { exported: 0, failures: 0, refused: 0, unsampled: 0, skipped: 0 };

  constructor(private readonly options: TraceExporterOptions) {
    this.#position = options.position;
  }

  get url(): string {
    return this.options.shownUrl;
  }

  count(lastSeq: number): TracesCount {
    return { ...this.#counts, lag: Math.max(0, lastSeq - this.#position) };
  }

  start(): void {
    const { entry, assignment, reaper, say } = this.options;
    const child = fork(entry, [JSON.stringify(assignment)], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    const startedAt = performance.now();
    reaper.track(child);
    this.#child = child;
    for (const output of [child.stdout, child.stderr])
      output?.setEncoding('utf8').on('data', (text: string) => say(text.trimEnd()));
    child.on('message', (news: TracesNews) => this.#heard(news));
    child.on('error', (error) => say(error.message));
    child.once('exit', (code, signal) => this.#ended(`${code ?? signal}`, performance.now() - startedAt));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    // Without its parent, it sends what waits and ends.
    if (child.connected) child.disconnect();
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
  }

  #heard({ position, ...news }: TracesNews): void {
    this.#position = position;
    const counts = this.#counts;
    this.#counts = {
      exported: counts.exported + news.exported,
      failures: counts.failures + news.failures,
      refused: counts.refused + news.refused,
      unsampled: counts.unsampled + news.unsampled,
      skipped: counts.skipped + news.skipped,
    };
  }

  #ended(how: string, ranMs: number): void {
    this.#child = undefined;
    if (this.#isClosed) return;
    if (ranMs > STEADY_MS) this.#pauseMs = FIRST_PAUSE_MS;
    this.options.say(
      `the process that exports traces has ended (${how}); it is started again in ${this.#pauseMs / 1_000} s`,
    );
    this.#timer = setTimeout(() => this.start(), this.#pauseMs);
    this.#pauseMs = Math.min(MOST_PAUSE_MS, this.#pauseMs * 2);
  }
}

/** Where the exporter runs, without what the environment says. */
export interface TracesPlace extends Omit<TraceExporterOptions, 'entry' | 'shownUrl'> {
  readonly entry: string | undefined;
  readonly onStop: (step: () => Promise<void>) => void;
}

/** Exports traces, if the environment names a collector. Without one, nothing runs. */
export const exportTraces = ({ entry, onStop, ...place }: TracesPlace): ExportedTraces => {
  const { settings, problems } = traceSettings(process.env);
  for (const problem of problems) place.say(problem);
  if (settings === undefined || entry === undefined) return NO_TRACES;
  const exporter = new TraceExporter({ ...place, entry, shownUrl: settings.shownUrl });
  place.say(`spans go to ${settings.shownUrl}`);
  onStop(() => exporter.close());
  return exporter;
};
