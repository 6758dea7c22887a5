/** The time as the handlers of a module have it: that of the machine, or that of a test. */
export interface HandlerClock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Runs something after so many milliseconds; returns what prevents that. */
  readonly after: (ms: number, run: () => void) => () => void;
}

export const machineClock: HandlerClock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
