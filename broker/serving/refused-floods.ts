import type { Msg } from 'nats';
import type { Fault } from '../../schemas/errors.js';
import { Incoming } from '../intake/incoming.js';
import { FallingLevels } from '../../system/falling-levels.js';
import { type RefusedLimits, REFUSED_FLOODS } from '../intake/refusal-limits.js';
import { LaterRefusals, WEIGHED_BYTES } from './later-refusals.js';

/**
 * The refusal of a request that would be refused again counts as twenty. So a client with up to 800 on their way that
 * waits for each asks no more than 200 times a second, which is what the count of its connection falls by.
 */
const WRONG_BYTES = 19 * WEIGHED_BYTES;

/** Connections that were cut off: some of their requests may still wait their turn. */
const REMEMBERED = 10_000;

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
