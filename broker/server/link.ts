import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { connect, type NatsConnection, nkeyAuthenticator, type Status } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import type { Key } from '../access/keys.js';

/** The broker's connections: to the account of the log, and to the server's own account. */
export interface Link extends AsyncDisposable {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly serverVersion: string;
  /** Since when the server has been answering, milliseconds since 1970; undefined while it does not. */
  readonly linkedSince: () => number | undefined;
  /** Has the server read its configuration again; its own words when it refuses. */
  readonly reload: () => TE.TaskEither<Fault, void>;
  readonly close: () => Promise<void>;
}

export interface LinkOptions {
  readonly url: string;
  readonly core: Key;
  readonly system: Key;
  readonly log: (text: string) => void;
}

const RECONNECT_MS = 100;
const RELOAD_TIMEOUT_MS = 5_000;

const open = (url: string, key: Key, name: string): Promise<NatsConnection> =>
  connect({
    servers: url,
    name,
    authenticator: nkeyAuthenticator(new TextEncoder().encode(key.seed)),
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_MS / 2,
    timeout: 5_000,
  });

const refused = (error: unknown, url: string): Fault => {
  const { message } = error as Error;
  return /authoriz|authentic|permission/i.test(message)
    ? fault(
        'SERVER_REFUSED',
        `${url} refuses the broker's credential (${message}): does its configuration include what \`tallystick accounts\` prints?`,
      )
    : fault('SERVER_UNREACHABLE', `no NATS server answers at ${url}: ${message}`);
};

export const openLink = ({ url, core, system, log }: LinkOptions): TE.TaskEither<Fault, Link> =>
  TE.tryCatch(
    async () => {
      const nc = await open(url, core, 'tallystick broker');
      const sys = await open(url, system, 'tallystick broker, administration');
      const jsm = await jetstreamManager(nc);
      let since: number | undefined = Date.now();
      void (async () => {
        for await (const status of nc.status() as AsyncIterable<Status>) {
          if (status.type === 'disconnect') {
            since = undefined;
            log('the connection to the server is lost');
          } else if (status.type === 'reconnect') {
            since = Date.now();
            log('the server answers again');
          } else if (status.type === 'error') {
            log(`the server says: ${status.error.message}`);
          }
        }
      })();
      const close = async (): Promise<void> => {
        await Promise.allSettled([nc.close(), sys.close()]);
      };
      const reload = (): TE.TaskEither<Fault, void> =>
        TE.tryCatch(
          async () => {
            // A server that is down reads the file when it starts.
            if (since === undefined) return;
            const id = nc.info?.server_id ?? '';
            const reply = await sys.request(`$SYS.REQ.SERVER.${id}.RELOAD`, '', {
              timeout: RELOAD_TIMEOUT_MS,
            });
            const answer = reply.json<{ error?: { description?: string } }>();
            if (answer.error !== undefined) throw new Error(answer.error.description ?? 'no reason given');
          },
          (error) =>
            fault('SERVER_REFUSED', `the server did not take the new accounts: ${(error as Error).message}`),
        );
      return {
        nc,
        jsm,
        serverVersion: nc.info?.version ?? '',
        linkedSince: () => since,
        reload,
        close,
        [Symbol.asyncDispose]: close,
      };
    },
    (error) => refused(error, url),
  );
