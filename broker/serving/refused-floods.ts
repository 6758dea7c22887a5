import type { Msg } from 'nats';
import type { Fault } from '../../schemas/errors.js';
import { Incoming } from '../intake/incoming.js';
import { LaterRefusals, WEIGHED_BYTES } from './later-refusals.js';

/** A count that falls by so many a second, and what it may be at most. */
interface FloodLimit {
  readonly perSecond: number;
  readonly most: number;
}

interface RefusedLimits {
  readonly account: FloodLimit;
  /** Of one connection. It is cut off only if it is above this too: others of its account may send the flood. */
  readonly connection: FloodLimit;
}

/**
 * Refused requests, above which a connection is cut off. A refusal costs the broker and the server as much as many
 * requests that are served. A client that waits for its refusals never comes here with fewer than 2,000 requests on
 * their way: they come later from half of the limit on.
 */
export const REFUSED_FLOODS = {
  /** The same request would be refused again: no such module, a bad header, not allowed. */
  wrong: {
    account: { perSecond: 1_000, most: 5_000 },
    connection: { perSecond: 200, most: 1_000 },
  },
  /** It may be served later. A burst of 80,000 requests is no flood: 20,000 wait, and the rest is refused once. */
  notNow: {
    account: { perSecond: 10_000, most: 60_000 },
    connection: { perSecond: 1_000, most: 10_000 },
  },
} as const satisfies Readonly<Record<string, RefusedLimits>>;

/** The refusal of a request that would be refused again counts as so many: it comes later than others. */
const WRONG_BYTES = 3 * WEIGHED_BYTES;

/** Levels are looked through for those that are empty when there are so many. */
const MANY_LEVELS = 1_024;

/** Connections that were cut off: some of their requests may still wait their turn. */
const REMEMBERED = 10_000;

interface FallingLevel {
  value: number;
  at: number;
}

/** Counts by key; each falls with time. */
class FallingLevels {
  readonly #levels = new Map<string, FallingLevel>();
  #prunedAt = 0;

  constructor(private readonly limit: FloodLimit) {}

  /** Counts one more. The part of the limit that it has reached. */
  add(key: string, now: number): number {
    if (this.#levels.size >= MANY_LEVELS && now - this.#prunedAt > 1_000) this.#prune(now);
    const level = this.#levels.get(key) ?? { value: 0, at: now };
    level.value = this.#fallen(level, now) + 1;
    level.at = now;
    this.#levels.set(key, level);
    return level.value / this.limit.most;
  }

  #fallen({ value, at }: FallingLevel, now: number): number {
    return Math.max(0, value - ((now - at) * this.limit.perSecond) / 1_000);
  }

  #prune(now: number): void {
    this.#prunedAt = now;
    for (const [key, level] of this.#levels) if (this.#fallen(level, now) === 0) this.#levels.delete(key);
  }
}

const levelsOf = ({ account, connection }: RefusedLimits) => ({
  account: new FallingLevels(account),
  connection: new FallingLevels(connection),
});

export interface RefusedFloodsOptions {
  /** Has the server close a connection. Called once for each. */
  readonly cut: (connection: string, why: string) => void;
  readonly now?: () => number;
}

/**
 * Finds clients that send on whatever they are answered: commands to no module, what they may not do, more than the
 * broker can hold. First their refusals come later, so that a client that waits for them slows down. A connection
 * that sends on is closed.
 */
export class RefusedFloods {
  readonly #wrong = levelsOf(REFUSED_FLOODS.wrong);
  readonly #notNow = levelsOf(REFUSED_FLOODS.notNow);
  readonly #cut = new Set<string>();
  readonly #later = new LaterRefusals();
  readonly #now: () => number;

  constructor(private readonly options: RefusedFloodsOptions) {
    this.#now = options.now ?? (() => performance.now());
  }

  /** The request is refused. Called before its reply is sent. Modules are counted elsewhere: see `ModuleFloods`. */
  refused(msg: Msg, { retryable }: Fault): void {
    if (!(msg instanceof Incoming) || this.#cut.has(msg.connection)) return;
    const { connection } = msg;
    const now = this.#now();
    const account = connection.slice(0, connection.indexOf('/'));
    const levels = retryable ? this.#notNow : this.#wrong;
    const ofConnection = levels.connection.add(connection, now);
    const reached = Math.min(levels.account.add(account, now), ofConnection);
    if (reached > 0.5) msg.sendLater = (send) => this.#later.add(send, account, retryable ? 0 : WRONG_BYTES);
    // The server did not say which connection it is.
    if (reached <= 1 || connection.endsWith('/')) return;
    this.#cut.add(connection);
    if (this.#cut.size > REMEMBERED) this.#cut.delete(this.#cut.values().next().value as string);
    const kind = retryable ? 'notNow' : 'wrong';
    const { most } = REFUSED_FLOODS[kind].account;
    this.options.cut(connection, `it sent on after ${most} refusals`);
  }
}
