import { fault } from '../../schemas/errors.js';
import { Seldom } from '../../system/lines/seldom.js';

/**
 * So many are remembered, the latest: requests of a connection can come in after the news that it has closed, since the
 * server passes both on over different connections. A request of an older one is handled as any other.
 */
const REMEMBERED = 10_000;

/** The reply to a call of a closed connection. Only a listener of another connection can hear it. */
export const CALLER_GONE = fault(
  'CALLER_GONE',
  'the connection of this call closed before the broker stored the command; nothing was done',
);

/**
 * The connections of clients that have closed, and how many calls were dropped for that. The server has forgotten by
 * then where to send the reply, also if the same client has connected again. So nobody would learn of the result.
 */
export class ClosedConnections {
  readonly #closed = new Set<string>();
  readonly #dropped = new Map<string, number>();
  readonly #seldom: Seldom;

  constructor(
    log: (text: string) => void,
    private readonly remembered = REMEMBERED,
  ) {
    this.#seldom = new Seldom(log);
  }

  has(connection: string): boolean {
    return this.#closed.has(connection);
  }

  add(connection: string): void {
    this.#closed.add(connection);
    if (this.#closed.size <= this.remembered) return;
    for (const oldest of this.#closed) {
      this.#closed.delete(oldest);
      return;
    }
  }

  /** Counts a call that is not stored. */
  dropped(account: string, subject: string): void {
    this.#dropped.set(account, (this.#dropped.get(account) ?? 0) + 1);
    this.#seldom.say(
      `a call on ${subject.slice(0, 256)} was not stored: the connection of its caller had closed`,
    );
  }

  /** Calls that were not stored, by account. */
  get callsDropped(): ReadonlyMap<string, number> {
    return this.#dropped;
  }
}
