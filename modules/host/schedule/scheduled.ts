/** What the scheduler knows of a command. */
export interface Scheduled {
  /** The command's sequence. */
  readonly seq: number;
  /** Empty for the module itself. */
  readonly agent: string;
}

/** A handler that is to run for a command. */
export interface ScheduledHandler extends Scheduled {
  readonly action: string;
}
