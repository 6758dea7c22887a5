/** What the function of a step gets. */
export interface StepContext {
  /**
   * The same in every run of this step, and in no other step of the log. Give it to the outside as its idempotency key:
   * the function runs again if the process dies between the effect and the record.
   */
  readonly key: string;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /** Aborted when the time of the attempt or of the handler is over. */
  readonly signal: AbortSignal;
}

/** An effect outside. What it returns becomes JSON, and the handler gets the value of that JSON. */
export type StepFunction<T> = (step: StepContext) => T | Promise<T>;

/** Marks the function of a step that waits for operations of its handler alone: `race` and `any`. */
export const CHOOSES = Symbol.for('tallystick.chooses');

/** How often a step is tried, and how long. */
export interface StepOptions {
  /** How often the function runs before the step has failed; 1 when absent. */
  readonly attempts?: number;
  /**
   * The pause before the second attempt, milliseconds; 100 when absent. Each pause is twice the one before, up to a
   * minute.
   */
  readonly backoffMs?: number;
  /** The time limit of one attempt, milliseconds; absent: the time of the handler. */
  readonly timeoutMs?: number;
}
