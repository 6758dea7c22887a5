/** How the load stood at one moment; counts since its begin. */
export interface LoadMoment {
  /** Milliseconds since the load began. */
  readonly atMs: number;
  readonly offered: number;
  readonly acked: number;
  readonly delivered: number;
  /** Due and not delivered. */
  readonly backlog: number;
  /** From due to acknowledged, of what was acknowledged since the moment before, milliseconds; null of none. */
  readonly p99Ms: number | null;
}

/** A kill that was done. */
export interface DoneFault {
  /** Seconds since the burst began. */
  readonly at: number;
  readonly what: string;
  /** Milliseconds until the stopped process worked again; null: it did not, until the end. */
  readonly downMs: number | null;
}
