import { join } from 'node:path';
import type { LineAbout } from '../../schemas/log-lines.js';
import { type BrokerLog, printedLine } from '../../system/lines/broker-log.js';
import { DailyOutput } from '../../system/lines/daily-output.js';
import { LineLimit } from '../../system/lines/line-limit.js';
import type { ProcessLine } from '../../system/lines/process-line.js';
import { KeptLines } from './kept-lines.js';

/** The output of one module within 24 hours, where the broker prints it. */
const MAX_OUTPUT_BYTES = 10 * 1024 * 1024;
/** Lines of one module. */
const LIMIT = { burst: 2_000, perSecond: 100 } as const;

/** Where the lines of a broker go: they are printed, and its data directory keeps the newest. */
export class BrokerLines implements BrokerLog {
  readonly kept: KeptLines;
  readonly #modules = new Map<string, LineLimit>();

  constructor(
    private readonly printed: BrokerLog,
    dataDir: string,
  ) {
    const say = (text: string): void => printed.line('broker', text, { level: 'warn' });
    this.kept = new KeptLines({ dir: join(dataDir, 'lines'), say });
  }

  readonly line = (source: string, text: string, about?: LineAbout): void => {
    this.printed.line(source, text, about);
    this.kept.add(printedLine(source, text, about));
  };

  /** A line that a module has printed: as many as a person can read, and as the disk of the output has room for. */
  readonly ofModule = (module: string, { msg, ...about }: ProcessLine): void => {
    const limit = this.#modules.get(module) ?? this.#limitOf(module);
    this.#modules.set(module, limit);
    limit.line(msg, about);
  };

  /** Says what was left out since the last report, and writes what waits. */
  close(): void {
    for (const limit of this.#modules.values()) limit.flush();
    this.kept.flush();
  }

  #limitOf(module: string): LineLimit {
    const daily = new DailyOutput({
      maxBytes: MAX_OUTPUT_BYTES,
      say: (text, about) => this.printed.line(module, text, { ...about, module }),
    });
    return new LineLimit({
      ...LIMIT,
      say: (text, about) => {
        daily.line(text, about);
        this.kept.add(printedLine(module, text, { ...about, module }), module);
      },
    });
  }
}
