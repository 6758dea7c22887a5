import { type Fault, fault } from '../../schemas/errors.js';
import { FallingLevels, type FloodLimit } from '../../system/falling-levels.js';

/** How a request ended: it was served, would be refused again, or may be served later. */
export type GuestEnd = 'served' | 'wrong' | 'notNow';

interface GuestLimits {
  /** Of one address. A path that was served lately has a count for itself. */
  readonly address: FloodLimit;
  readonly all: FloodLimit;
}

/**
 * Refusals of guests. The broker cuts off a connection with 1,000 wrong requests, less 200 a second, or with 10,000
 * that came too early, less 1,000 a second. All guests of HTTP have one connection, so they stay below, together with
 * the requests that are under way.
 */
const REFUSALS = {
  wrong: { address: { perSecond: 50, most: 100 }, all: { perSecond: 100, most: 300 } },
  notNow: { address: { perSecond: 300, most: 1_000 }, all: { perSecond: 500, most: 3_000 } },
} as const satisfies Readonly<Record<Exclude<GuestEnd, 'served'>, GuestLimits>>;

/** Requests of guests under way. */
const MOST_OF_ADDRESS = 256;
const MOST_IN_ALL = 512;
/** Paths that were served lately, each for itself. */
const MOST_PATHS = 2_048;
const WAIT_MS = 1_000;

const levelsOf = ({ address, all }: GuestLimits) => ({
  address: new FallingLevels(address),
  all: new FallingLevels(all),
});

const ALL = '';

/**
 * Judges requests over HTTP without a token, before they go to the broker: no guest can send so many wrong requests
 * that the broker cuts off the connection of all guests.
 */
export class GuestTurns {
  readonly #underWay = new Map<string, number>();
  readonly #served = new Set<string>();
  readonly #levels = { wrong: levelsOf(REFUSALS.wrong), notNow: levelsOf(REFUSALS.notNow) };
  #all = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** OVERLOADED, or undefined: then {@link end} must be called. */
  begin(address: string, path: string): Fault | undefined {
    const now = this.now();
    const key = this.#keyOf(address, path);
    for (const { address: own, all } of Object.values(this.#levels))
      if (own.of(key, now) >= 1 || all.of(ALL, now) >= 1)
        return overloaded('too many requests without a token were refused');
    const underWay = this.#underWay.get(address) ?? 0;
    if (underWay >= MOST_OF_ADDRESS || this.#all >= MOST_IN_ALL)
      return overloaded('too many requests without a token are under way');
    this.#underWay.set(address, underWay + 1);
    this.#all += 1;
    return undefined;
  }

  end(address: string, path: string, how: GuestEnd): void {
    const underWay = (this.#underWay.get(address) ?? 1) - 1;
    if (underWay === 0) this.#underWay.delete(address);
    else this.#underWay.set(address, underWay);
    this.#all -= 1;
    if (how === 'served') return this.#remember(path);
    const now = this.now();
    const { address: own, all } = this.#levels[how];
    own.add(this.#keyOf(address, path), now);
    all.add(ALL, now);
  }

  /** One who asks for names that nobody has must not stand in the way of those who know what they ask for. */
  #keyOf(address: string, path: string): string {
    return this.#served.has(path) ? `${address} ${path}` : address;
  }

  /** In the order of use: the first was served the longest time ago. */
  #remember(path: string): void {
    this.#served.delete(path);
    this.#served.add(path);
    const [oldest] = this.#served;
    if (this.#served.size > MOST_PATHS && oldest !== undefined) this.#served.delete(oldest);
  }
}

const overloaded = (text: string): Fault => ({
  ...fault('OVERLOADED', `${text}; try again in ${WAIT_MS} ms, or send a token`),
  retryAfterMs: WAIT_MS,
});
