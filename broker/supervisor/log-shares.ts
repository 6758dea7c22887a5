/** What a module may store above its share of the log, in percent of the log: results of commands that it began. */
export const ABOVE_SHARE = 10;

export interface LogSharesOptions {
  readonly modules: () => readonly string[];
  /** What the log has of a module. */
  readonly bytes: (module: string) => number;
  /** Its share, in percent of the log. */
  readonly share: (module: string) => number;
  /** The limit of the log; infinite: none. */
  readonly maxBytes: () => number;
  readonly cut: (module: string, what: string) => void;
}

/**
 * Finds modules that store on above their share of the log. A module with its share gets no more commands, and the
 * results of those that it has are not refused. So what comes far above it is no result of a command.
 */
export class LogShares {
  readonly #seen = new Map<string, number>();

  constructor(private readonly options: LogSharesOptions) {}

  look(): void {
    const { modules, bytes, share, maxBytes, cut } = this.options;
    const whole = maxBytes();
    for (const module of modules()) {
      const has = bytes(module);
      const grows = has > (this.#seen.get(module) ?? 0);
      this.#seen.set(module, has);
      const most = share(module) + ABOVE_SHARE;
      // A process that stores nothing more may run: an operator looks at it.
      if (grows && has * 100 > whole * most) cut(module, `${most} percent of the log`);
    }
  }
}
