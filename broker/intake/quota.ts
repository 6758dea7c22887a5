import type { HeldRequests } from './intake-messages.js';

const MIB = 1024 * 1024;

export interface QuotaLimits {
  /** Requests of one connection. */
  readonly requests: number;
  /**
   * Requests of one connection that are refused and whose refusal is not sent: it sends on without minding an answer.
   */
  readonly refused: number;
  /** Bytes of one connection. */
  readonly connection: number;
  /** Bytes of all connections. */
  readonly all: number;
  /**
   * So much each connection may have, however much all have: who sends little is not refused for those who send much.
   */
  readonly each: number;
}

/** Above what the turnstile lets wait, so that the turnstile refuses first: it knows more to say. */
const LIMITS: QuotaLimits = {
  requests: 24_000,
  refused: 16_000,
  connection: 40 * MIB,
  all: 96 * MIB,
  each: MIB / 16,
};

/** What one request takes in addition to its bytes. */
const REQUEST_BYTES = 512;

interface Count {
  requests: number;
  bytes: number;
}

/** How much of people's requests the broker holds that have had no turn yet, by connection. */
export class Quota {
  readonly #held = new Map<string, Count>();
  #bytes = 0;

  constructor(private readonly limits: QuotaLimits = LIMITS) {}

  /** Counts a request. Returns what it counts, and whether its payload has no room. */
  take(
    connection: string,
    size: number,
  ): { readonly weight: number; readonly isLeftOut: boolean; readonly floods: boolean } {
    const count = this.#held.get(connection) ?? { requests: 0, bytes: 0 };
    const whole = size + REQUEST_BYTES;
    const { requests, refused, connection: ofConnection, all, each } = this.limits;
    const own = count.bytes + whole;
    const isFull = count.requests >= requests || own > ofConnection;
    const isLeftOut = isFull || (this.#bytes + whole > all && own > each);
    const weight = isLeftOut ? REQUEST_BYTES : whole;
    count.requests += 1;
    count.bytes += weight;
    this.#held.set(connection, count);
    this.#bytes += weight;
    return { weight, isLeftOut, floods: count.requests > requests + refused };
  }

  release({ connection, requests, bytes }: HeldRequests): void {
    this.#bytes -= bytes;
    const count = this.#held.get(connection);
    if (count === undefined) return;
    count.requests -= requests;
    count.bytes -= bytes;
    if (count.requests === 0) this.#held.delete(connection);
  }
}
