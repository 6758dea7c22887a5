import { FallingLevels, type FloodLimit } from '../../system/falling-levels.js';

/** Of one connection: publishes and subscriptions that the server refuses. Each costs it a line of its output. */
export const MOST_VIOLATIONS: FloodLimit = { perSecond: 200, most: 2_000 };
/** The server's output may come later than the end of a connection. Another server gives the numbers again. */
const AGAIN_MS = 5_000;
const REMEMBERED = 1_000;

/** Finds clients that send on whatever the server refuses them. The broker sees nothing of these but the lines. */
export class ServerViolations {
  readonly #levels = new FallingLevels(MOST_VIOLATIONS);
  readonly #cutAt = new Map<string, number>();
  #cutOff: (account: string, connection: number, what: string) => void = () => undefined;

  /** Who cuts off a module, or this connection of another account. */
  onFlood(cut: (account: string, connection: number, what: string) => void): void {
    this.#cutOff = cut;
  }

  refused(account: string, connection: number, now = performance.now()): void {
    const key = `${account}/${connection}`;
    if (this.#levels.add(key, now) <= 1) return;
    const before = this.#cutAt.get(key);
    if (before !== undefined && now - before < AGAIN_MS) return;
    if (this.#cutAt.size >= REMEMBERED) this.#cutAt.clear();
    this.#cutAt.set(key, now);
    this.#cutOff(account, connection, `${MOST_VIOLATIONS.perSecond} messages that the server refused`);
  }
}
