/** What the scheduler knows of a command. */
export interface Scheduled {
  /** The command's sequence. */
  readonly seq: number;
  /** Empty for the module itself. */
  readonly agent: string;
  /** Who sent it, as the log says; commands without one are of one sender. */
  readonly sender?: string;
}

/** A handler that is to run for a command. */
export interface ScheduledHandler extends Scheduled {
  readonly action: string;
}
