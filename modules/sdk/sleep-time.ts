/** A time: RFC 3339, a Date, or milliseconds since 1970. */
export type SleepTime = string | number | Date;

/** How a handler waits for a signal. */
export interface SignalOptions {
  /** The longest wait, milliseconds; absent: no limit. Then the wait throws `SIGNAL_TIMEOUT`. */
  readonly timeoutMs?: number;
}
