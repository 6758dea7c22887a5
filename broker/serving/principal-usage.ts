import Denque from 'denque';
import { type Fault, fault } from '../../schemas/errors.js';
import { isDeeperThan, MAX_JSON_DEPTH } from '../../schemas/json-depth.js';
import { type LimitName, limitOf, limitText } from '../../schemas/principal-limits.js';
import { AccountShare, type LoggedAccounts, NOTHING_LOGGED } from './account-share.js';
import { Allowance } from './allowance.js';
import type { LimitsInForce } from './limits-in-force.js';
import { RecentRate } from './recent-rate.js';

/** What a request takes of its account's limits. */
export interface AskedShare {
  /** Subject, headers and payload. */
  readonly bytes: number;
  readonly data: Uint8Array;
}

const RETRY_AFTER_MS = 1_000;
/** A producer at its limit of open commands looks so often whether one has its result, milliseconds. */
const LOOK_MS = 25;

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
  /** The bytes of these. */
  bytesAsked = 0;
  /** Refused requests since the start of the broker. */
  refused = 0;
  /** What it has in the log. */
  readonly share: AccountShare;
  readonly #recent: RecentRate;
  readonly #paced = new Denque<() => void>();
  #pacing: NodeJS.Timeout | undefined;

  constructor(
    readonly account: string,
    limits: LimitsInForce,
    private readonly now = (): number => performance.now(),
    logged: LoggedAccounts = NOTHING_LOGGED,
  ) {
    this.share = new AccountShare(account, logged);
    this.#recent = new RecentRate(now());
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

  /** Requests and bytes of requests a second, lately. */
  get recent(): { readonly requests: number; readonly bytes: number } {
    return this.#recent.perSecond(this.now());
  }

  /** Counts a request. Why it is refused; undefined: it is in flight until {@link left}. */
  admit(asked: AskedShare): Fault | undefined {
    this.#count(asked);
    const problem = this.#tooMuch(asked) ?? this.#tooFast(asked);
    if (problem === undefined) this.inFlight += 1;
    else this.refused += 1;
    return problem;
  }

  /** Why a command of so many bytes may not be stored, besides `storing` like it; undefined: it may. */
  full(bytes: number, storing = 0): Fault | undefined {
    return this.share.full(this.#limits, bytes, storing);
  }

  /** Why the account may have no more of the log; undefined: it may. */
  fullLog(bytes: number): Fault | undefined {
    return this.share.fullLog(this.#limits, bytes);
  }

  #count({ bytes }: AskedShare): void {
    this.requests += 1;
    this.bytesAsked += bytes;
    this.#recent.add(bytes, this.now());
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
    this.#count(asked);
    const problem = this.#tooLarge(asked);
    if (problem !== undefined) {
      this.refused += 1;
      return problem;
    }
    const taken = (): void => {
      this.#taken(asked);
      take();
    };
    const waitMs = this.#paced.length > 0 ? 1 : this.#paceMs(asked);
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
      waitMs = this.#paceMs(least);
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

  #paceMs(asked: AskedShare): number {
    return Math.max(this.#waitMs(asked), this.share.open >= this.#limits.open ? LOOK_MS : 0);
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

/** A command that is to be stored. */
export interface AskedCommand {
  readonly sender: string;
  /** Undefined: it is not known, and its commands are answered in the log. */
  readonly module: string | undefined;
  /** Of subject and payload. */
  readonly bytes: number;
  /** Its producer numbers it, and has waited for room among the open commands. */
  readonly isNumbered?: boolean;
}

const NOTHING = new Uint8Array(0);

/** The accounts that have asked for something since the start of the broker. */
export class PrincipalUsages {
  readonly #all = new Map<string, PrincipalUsage>();

  constructor(
    private readonly limitsFor: (account: string) => LimitsInForce,
    private readonly logged: LoggedAccounts = NOTHING_LOGGED,
  ) {}

  /** Of an account, with the limits of now. The server has told which account it is. */
  of(account: string): PrincipalUsage {
    const limits = this.limitsFor(account);
    const known = this.#all.get(account);
    if (known === undefined) {
      const usage = new PrincipalUsage(account, limits, undefined, this.logged);
      this.#all.set(account, usage);
      return usage;
    }
    known.limitBy(limits);
    return known;
  }

  /**
   * Why a command of so many bytes may not be stored, of an account for a module; undefined: it may. A module that has
   * its share of the log gets no more commands, because each makes it store more.
   */
  full({ sender, module, bytes, isNumbered }: AskedCommand): Fault | undefined {
    const usage = this.of(sender);
    const own = isNumbered === true ? usage.fullLog(bytes) : usage.full(bytes);
    const problem = own ?? (module === undefined ? undefined : this.of(module).fullLog(bytes));
    if (problem !== undefined) usage.turnedAway();
    return problem;
  }

  /** The index has read a command that this broker may have stored for an account. */
  read(account: string, seq: number): void {
    this.#all.get(account)?.share.read(seq);
  }

  /** Of an account that has asked for something. */
  known(account: string): PrincipalUsage | undefined {
    return this.#all.get(account);
  }

  all(): readonly PrincipalUsage[] {
    return [...this.#all.values()];
  }
}
