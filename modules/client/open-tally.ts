import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { keepAlive } from '../../link/keepalive.js';
import { openTargetConnection } from '../../link/open-target.js';
import { findTarget, type TargetOptions } from '../../link/target.js';
import { PROGRAM_WORDS } from '../../link/target-words.js';
import type { Fault } from '../../schemas/errors.js';
import { refusal } from '../../schemas/result.js';
import { Refused } from '../sdk/refused.js';
import { createTally, type Tally } from './tally-calls.js';

/** Which broker is meant. Without an option it is found as the command line finds it. */
export interface ConnectOptions {
  /** The address of a NATS server that a broker uses: `nats://127.0.0.1:4222`. */
  readonly server?: string;
  /** The data directory of a broker on this machine. */
  readonly data?: string;
  /** A credential: a `.creds` file, or a file with an nkey seed. */
  readonly creds?: string;
  /** A file of `tallystick token create`. It names the server too. Default: `TALLYSTICK_TOKEN`. */
  readonly token?: string;
  /** Files of TLS, PEM: the authority of the broker; a certificate of this program, and its key. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** A connection that you have; it stays open when this one is closed. */
  readonly connection?: NatsConnection;
}

/** Its stack begins at the caller of `connect`: the lines of this package tell its author nothing. */
const refusedWith = (fault: Fault): Refused => {
  const refused = new Refused(refusal(fault));
  Error.captureStackTrace(refused, connect);
  return refused;
};

/**
 * Connects to a broker: the one that `token`, `server`, `data` or `connection` names, else that of `TALLYSTICK_TOKEN`
 * or `NATS_URL`, else that of `./.tallystick`. A token is the credential too. Else credentials come from `creds`, from
 * `NATS_USER`, `NATS_CREDS` or `NATS_NKEY`, or from the data directory. A lost connection is dialled again for ever.
 *
 * Throws {@link Refused}: BROKER_UNREACHABLE, SERVER_REFUSED, TLS_FAILED, or USAGE.
 *
 * @example
 * await using tally = await connect();
 * await tally.agent(tickets, 'hamlet').sell({ seats: 2 });
 */
export const connect = async (options: ConnectOptions = {}): Promise<Tally> => {
  const { connection, ...named } = options;
  if (connection !== undefined) {
    keepAlive(connection);
    return createTally({ connection, isOwn: false, dataDir: named.data });
  }
  const { tls: { ca, cert, key } = {}, ...place } = named;
  const files = { ...(ca && { tlsCa: ca }), ...(cert && { tlsCert: cert }), ...(key && { tlsKey: key }) };
  const target = findTarget({ ...place, ...files } satisfies TargetOptions, process.env, PROGRAM_WORDS);
  if (isLeft(target)) throw refusedWith(target.left);
  const opened = await openTargetConnection(target.right, PROGRAM_WORDS)();
  if (isLeft(opened)) throw refusedWith(opened.left);
  return createTally({ connection: opened.right, isOwn: true, dataDir: target.right.dataDir });
};
