import type { Msg } from 'nats';
import type { Fault } from '../../schemas/errors.js';
import type { People } from '../intake/intake.js';
import type { ClosedConnections } from './closed-connections.js';
import type { PrincipalUsages } from './principal-usage.js';
import type { Turnstile } from './turnstile.js';

/**
 * How what people send comes in: over a connection that carries nothing else, and in turn. What waits in the server
 * for that connection delays neither what the log answers nor what modules ask. The server may close it when it has
 * too much for it; the log's connection stays. Answers go out over the log's connection, so that none is lost with
 * this one.
 */
export interface Entrance {
  readonly people: People;
  readonly turnstile: Turnstile;
  readonly closed: ClosedConnections;
  /** The limits of accounts, and what they use of them. */
  readonly usages: PrincipalUsages;
  /** Why a principal may not make this request; undefined if it may. It is asked of principals' requests only. */
  readonly judge?: (msg: Msg) => Fault | undefined;
  /** Why a request can be refused by its subject alone, before it waits for a turn; undefined: it waits. */
  readonly unknown?: (subject: string) => Fault | undefined;
  /** A request has come. */
  readonly asked?: () => void;
  /**
   * Hears of each request that gets a fault in place of an answer, before it is sent: the audit keeps some of them, and
   * a client that sends on whatever it is answered is cut off.
   */
  readonly refused?: (msg: Msg, problem: Fault) => void;
}
