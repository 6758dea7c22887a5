/** What the process that exports traces is started with: JSON, its only argument. */
export interface TracesAssignment {
  readonly natsUrl: string;
  /** The file with the seed of the operator: the process reads the whole log. */
  readonly seedPath: string;
  readonly dataDir: string;
}

/** What the process tells the broker: what has come since its last news, and where it is. */
export interface TracesNews {
  /** The record up to which spans are exported. */
  readonly position: number;
  /** Spans that the collector took. */
  readonly exported: number;
  /** Requests that the collector did not answer, or refused for now. */
  readonly failures: number;
  /** Spans that the collector refused for ever. */
  readonly refused: number;
  /** Spans of traces that are not exported, by the sampler or by the sender. */
  readonly unsampled: number;
  /** Records whose spans were left out, because the export was too far behind. */
  readonly skipped: number;
}
