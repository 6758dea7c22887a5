import { CALL_BUCKETS_MS, callBucket } from '../../schemas/call-latency.js';
import type { ActionStats } from '../../schemas/operate.js';

interface Counters {
  commands: number;
  requests: number;
  errors: number;
  lastError: string;
  nanoseconds: number;
  /** Calls by their time, see {@link CALL_BUCKETS_MS}. */
  readonly waits: number[];
}

/** Counts of one module's commands and calls by action, since the module was loaded. */
export class ServiceStats {
  readonly started = new Date();
  readonly #actions = new Map<string, Counters>();

  record(action: string, milliseconds: number, error: string | null): void {
    const counters = this.#of(action);
    counters.requests += 1;
    counters.nanoseconds += Math.round(milliseconds * 1e6);
    const bucket = callBucket(milliseconds);
    counters.waits[bucket] = (counters.waits[bucket] ?? 0) + 1;
    if (error !== null) {
      counters.errors += 1;
      counters.lastError = error;
    }
  }

  /** A command has its result: of a call, of a plain command, of a firing, or of another module. */
  handled(action: string): void {
    this.#of(action).commands += 1;
  }

  /** As NATS services report an endpoint (ADR-32). */
  endpoint(action: string): object {
    const { requests, errors, lastError, nanoseconds } = this.#of(action);
    return {
      num_requests: requests,
      num_errors: errors,
      last_error: lastError,
      processing_time: nanoseconds,
      average_processing_time: requests === 0 ? 0 : Math.round(nanoseconds / requests),
    };
  }

  action(action: string): ActionStats {
    const { commands, requests, errors, nanoseconds, waits } = this.#of(action);
    return {
      action,
      commands,
      calls: requests,
      errors,
      meanMs: requests === 0 ? 0 : nanoseconds / requests / 1e6,
      waits: [...waits],
    };
  }

  #of(action: string): Counters {
    let counters = this.#actions.get(action);
    if (counters === undefined) {
      const waits = Array.from({ length: CALL_BUCKETS_MS.length + 1 }, () => 0);
      counters = { commands: 0, requests: 0, errors: 0, lastError: '', nanoseconds: 0, waits };
      this.#actions.set(action, counters);
    }
    return counters;
  }
}
