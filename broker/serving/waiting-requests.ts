import type { Fault } from '../../schemas/errors.js';
import { overloaded } from './overloaded.js';

export interface TurnstileLimits {
  /** Requests of one connection that wait, and their bytes; what comes then is refused. */
  readonly connection: { readonly requests: number; readonly bytes: number };
  /** The same of one account. */
  readonly account: { readonly requests: number; readonly bytes: number };
  /**
   * So much of one connection may wait whatever waits of its account: many connections of one sender fill what the
   * account may have.
   */
  readonly small?: { readonly requests: number; readonly bytes: number };
}

const MIB = 1024 * 1024;

export const TURNSTILE_LIMITS: TurnstileLimits = {
  connection: { requests: 20_000, bytes: 32 * MIB },
  account: { requests: 100_000, bytes: 64 * MIB },
  small: { requests: 100, bytes: 64 * 1024 },
};

/** Who asks, and for what. `line`: what is taken in its order; the connection has a line for each kind of request. */
export interface Asking {
  readonly account: string;
  readonly connection: string;
  readonly line: string;
  readonly bytes: number;
}

interface RequestsAndBytes {
  requests: number;
  bytes: number;
}

const isSmall = ({ small }: TurnstileLimits, held: RequestsAndBytes | undefined, bytes: number): boolean =>
  small !== undefined && (held?.requests ?? 0) < small.requests && (held?.bytes ?? 0) + bytes <= small.bytes;

/** The requests that wait, by connection and by account. Both are bounded. */
export class WaitingRequests {
  readonly #held = new Map<string, RequestsAndBytes>();

  constructor(private readonly limits: TurnstileLimits = TURNSTILE_LIMITS) {}

  /** How many wait, by account. */
  byAccount(): ReadonlyMap<string, number> {
    return new Map(
      [...this.#held].flatMap(([key, { requests }]) =>
        key.startsWith('a ') ? [[key.slice(2), requests] as const] : [],
      ),
    );
  }

  /** Whether any of this connection wait. */
  has(connection: string): boolean {
    return this.#held.has(`c ${connection}`);
  }

  /** The reason why one more may not wait. */
  full({ account, connection, bytes }: Asking): Fault | undefined {
    const by = [
      ['this connection', `c ${connection}`, this.limits.connection],
      [`the account ${account}`, `a ${account}`, this.limits.account],
    ] as const;
    const own = this.#held.get(`c ${connection}`);
    for (const [who, key, most] of by) {
      const held = this.#held.get(key);
      if (held === undefined) continue;
      if (most === this.limits.account && isSmall(this.limits, own, bytes)) continue;
      if (held.requests < most.requests && held.bytes + bytes <= most.bytes) continue;
      const quota = `${most.requests} requests and ${most.bytes} bytes`;
      return overloaded(
        `${held.requests} requests of ${who} wait, with ${held.bytes} bytes, and ${quota} may`,
      );
    }
    return undefined;
  }

  /** One more waits, or one less. */
  count({ account, connection, bytes }: Asking, sign: 1 | -1): void {
    for (const key of [`c ${connection}`, `a ${account}`]) {
      const held = this.#held.get(key) ?? { requests: 0, bytes: 0 };
      held.requests += sign;
      held.bytes += sign * bytes;
      if (held.requests === 0) this.#held.delete(key);
      else this.#held.set(key, held);
    }
  }
}
