import Denque from 'denque';
import { type Fault, fault } from '../../schemas/errors.js';
import { isDeeperThan, MAX_JSON_DEPTH } from '../../schemas/json-depth.js';
import { type LimitName, limitOf, limitText } from '../../schemas/principal-limits.js';
import { Allowance } from './allowance.js';
import type { LimitsInForce } from './limits-in-force.js';

/** What a request takes of its account's limits. */
export interface AskedShare {
  /** Subject, headers and payload. */
  readonly bytes: number;
  readonly data: Uint8Array;
}

const RETRY_AFTER_MS = 1_000;

/**
 * How much of the broker one account uses, and the limits of that. The turnstile shares out turns; this refuses what an
 * operator, or a default, does not want of one account at all.
 */
export class PrincipalUsage {
  #limits: LimitsInForce;
  #rate: Allowance;
  #bytes: Allowance;
  /** Requests without a reply yet. */
  inFlight = 0;
  /** Requests since the start of the broker, with the refused ones. */
  requests = 0;
  /** Refused requests since the start of the broker. */
  refused = 0;
  readonly #paced = new Denque<() => void>();
  #pacing: NodeJS.Timeout | undefined;

  constructor(
    readonly account: string,
    limits: LimitsInForce,
    private readonly now = (): number => performance.now(),
  ) {
    this.#limits = limits;
    this.#rate = new Allowance(limits.rate, now());
    this.#bytes = new Allowance(limits.bytes, now());
  }

  /** Other limits may hold from now on. */
  limitBy(limits: LimitsInForce): void {
    if (limits === this.#limits) return;
    const { rate, bytes } = this.#limits;
    this.#limits = limits;
    if (rate !== limits.rate) this.#rate = new Allowance(limits.rate, this.now());
    if (bytes !== limits.bytes) this.#bytes = new Allowance(limits.bytes, this.now());
  }

  /** Counts a request. Why it is refused; undefined: it is in flight until {@link left}. */
  admit(asked: AskedShare): Fault | undefined {
    this.requests += 1;
    const problem = this.#tooMuch(asked) ?? this.#tooFast(asked);
    if (problem === undefined) this.inFlight += 1;
    else this.refused += 1;
    return problem;
  }

  /** A request was refused elsewhere, since too much of this account or of all waits. */
  turnedAway(): void {
    this.refused += 1;
  }

  /** A request that was admitted has its reply. */
  left(): void {
    this.inFlight -= 1;
  }

  /**
   * Takes a record that its producer numbers. A refusal would end the producer's epoch, so one that comes too fast
   * waits, and all later ones behind it. A producer has no more of them on their way than its window.
   */
  pace(asked: AskedShare, take: () => void): Fault | undefined {
    this.requests += 1;
    const problem = this.#tooLarge(asked);
    if (problem !== undefined) {
      this.refused += 1;
      return problem;
    }
    const taken = (): void => {
      this.#taken(asked);
      take();
    };
    const waitMs = this.#paced.length > 0 ? 1 : this.#waitMs(asked);
    if (waitMs === 0) {
      taken();
      return undefined;
    }
    this.#paced.push(taken);
    this.#pacing ??= setTimeout(() => this.#takePaced(), waitMs).unref();
    return undefined;
  }

  #takePaced(): void {
    this.#pacing = undefined;
    // The next one's size is not looked at: what it takes too much of, the ones behind it wait for.
    const least = { bytes: 1, data: NOTHING };
    let waitMs = 0;
    while (this.#paced.length > 0) {
      waitMs = this.#waitMs(least);
      if (waitMs > 0) break;
      this.#paced.shift()?.();
    }
    if (this.#paced.length > 0) this.#pacing = setTimeout(() => this.#takePaced(), waitMs).unref();
  }

  #tooLarge({ data }: AskedShare): Fault | undefined {
    const { payload, depth } = this.#limits;
    if (data.length > payload) return this.#never('PAYLOAD_TOO_LARGE', 'payload', payload);
    return depth < MAX_JSON_DEPTH && isDeeperThan(data, depth)
      ? this.#never('PAYLOAD_INVALID', 'depth', depth)
      : undefined;
  }

  #tooMuch(asked: AskedShare): Fault | undefined {
    const { inflight } = this.#limits;
    return this.inFlight >= inflight ? this.#full('inflight', inflight) : this.#tooLarge(asked);
  }

  #tooFast(asked: AskedShare): Fault | undefined {
    const waitMs = this.#waitMs(asked);
    if (waitMs === 0) {
      this.#taken(asked);
      return undefined;
    }
    const name = this.#rate.waitMs(1, this.now()) > 0 ? 'rate' : 'bytes';
    return this.#full(name, this.#limits[name], waitMs);
  }

  #waitMs({ bytes }: AskedShare): number {
    const now = this.now();
    return Math.max(this.#rate.waitMs(1, now), this.#bytes.waitMs(bytes, now));
  }

  #taken({ bytes }: AskedShare): void {
    this.#rate.take(1);
    this.#bytes.take(bytes);
  }

  #says(name: LimitName, value: number): string {
    return `${this.account} may have ${value} ${limitOf(name)}, by its limit ${limitText(name, value)}`;
  }

  #full(name: LimitName, value: number, retryAfterMs = RETRY_AFTER_MS): Fault {
    return {
      ...fault('OVERLOADED', `${this.#says(name, value)}; try again in ${retryAfterMs} ms`),
      retryAfterMs,
    };
  }

  #never(code: 'PAYLOAD_TOO_LARGE' | 'PAYLOAD_INVALID', name: LimitName, value: number): Fault {
    return fault(code, this.#says(name, value));
  }
}

const NOTHING = new Uint8Array(0);

/** The accounts that have asked for something since the start of the broker. */
export class PrincipalUsages {
  readonly #all = new Map<string, PrincipalUsage>();

  constructor(private readonly limitsFor: (account: string) => LimitsInForce) {}

  /** Of an account, with the limits of now. The server has told which account it is. */
  of(account: string): PrincipalUsage {
    const limits = this.limitsFor(account);
    const known = this.#all.get(account);
    if (known === undefined) {
      const usage = new PrincipalUsage(account, limits);
      this.#all.set(account, usage);
      return usage;
    }
    known.limitBy(limits);
    return known;
  }

  all(): readonly PrincipalUsage[] {
    return [...this.#all.values()];
  }
}
