import { FallingLevels, type FloodLimit } from '../../system/falling-levels.js';

/**
 * New connections of an account. A shell script that runs the command line in a loop makes 10 a second; after a restart
 * of the server, each client comes back once.
 */
export const MOST_CONNECTS: FloodLimit = { perSecond: 100, most: 1_000 };

export interface ConnectionChurnOptions {
  /** Cuts off a module, or this connection of another account. */
  readonly cut: (account: string, connection: number, what: string) => void;
  readonly now?: () => number;
}

/** Finds clients that connect again and again: each connection costs the server and the broker some messages. */
export class ConnectionChurn {
  readonly #levels = new FallingLevels(MOST_CONNECTS);
  readonly #now: () => number;

  constructor(private readonly options: ConnectionChurnOptions) {
    this.#now = options.now ?? (() => performance.now());
  }

  opened(account: string, connection: number): void {
    if (this.#levels.add(account, this.#now()) <= 1) return;
    this.options.cut(account, connection, `${MOST_CONNECTS.perSecond} connections`);
  }
}
