import { isClientError } from '../../link/client-error.js';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection, Status } from 'nats';
import { authenticatorOf } from '../../link/nkey.js';
import { dial } from '../../link/dial.js';
import { linkedRequest, whileLinked } from '../../link/linked-request.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { UserKey } from '../../link/nkey.js';
import { type ConnectionReports, connectionReports, MOST_LISTED_CONNECTIONS } from './connection-reports.js';
import { type ConnectionOpened, OpenConnections } from './open-connections.js';
import { type ConnectionClosed, closedConnectionOf } from '../intake/connection-of.js';
import { Intake } from '../intake/intake.js';
import type { AccountSubscriptions } from '../live/live-interest.js';
import { isThrown } from '../../link/jetstream-error.js';

/** Messages and bytes that came over the connections of an account. */
export interface AccountReceived {
  readonly msgs: number;
  readonly bytes: number;
}

/** Source: `AccountStatz` in monitor.go of nats-server 2.15.1. */
interface AccountStatistics {
  readonly account_statz?: readonly { readonly acc: string; readonly received: AccountReceived }[];
}

/** What the server says of its JetStream. */
export interface JetStreamSettings {
  readonly sync_always?: boolean;
  readonly store_dir?: string;
}

/** The broker's connections: two to the account of the log, and one to the server's own account. */
export interface Link extends AsyncDisposable {
  readonly nc: NatsConnection;
  /** Reads what people send, over the second one: it may be lost without the other one. */
  readonly people: Intake;
  readonly jsm: JetStreamManager;
  readonly serverVersion: string;
  /** Since when the server has been answering, by the clock of `performance.now()`; undefined while it does not. */
  readonly linkedSince: () => number | undefined;
  /**
   * Resolves when the server has answered, and all that it had sent before is here; rejects when the connection is
   * lost.
   */
  readonly answers: () => Promise<void>;
  /** Has the server read its configuration again; its own words when it refuses. */
  readonly reload: () => TE.TaskEither<Fault, void>;
  /**
   * Has the server close all connections of an account, and each one that it opens, until {@link letIn}. Rejects if the
   * server does not answer.
   */
  readonly keepOut: (account: string) => Promise<void>;
  readonly letIn: (stillOut: ReadonlySet<string>) => void;
  /** What the server has had from these accounts, messages and bytes. Rejects if the server does not tell. */
  readonly received: (accounts: readonly string[]) => Promise<ReadonlyMap<string, AccountReceived>>;
  readonly jetStreamSettings: () => TE.TaskEither<Fault, JetStreamSettings>;
  /** The subscriptions in the account of the log: how many, or all of them. Rejects if the server does not tell. */
  readonly subscriptions: (isListed: boolean) => Promise<AccountSubscriptions>;
  /** What the server says of connections and subscriptions of accounts. */
  readonly reports: ConnectionReports;
  /** Calls `heard` with each connection that opens, of any account. */
  readonly onOpened: (heard: (account: string, cid: number) => void) => void;
  /** Calls `heard` with each connection that closes, of any account. */
  readonly onClosed: (heard: (connection: string) => void) => void;
  readonly close: () => Promise<void>;
}

export interface LinkOptions {
  readonly url: string;
  readonly core: UserKey;
  readonly system: UserKey;
  readonly log: (text: string) => void;
  /** The connection is lost. */
  readonly onLost?: () => void;
  /** What a person can do when the server does not know these keys; absent where the broker configures it. */
  readonly remedy?: string;
}

const RECONNECT_MS = 100;
/** A connection that is lost in the middle of its handshake is noticed by this only. */
const DIAL_TIMEOUT_MS = 5_000;
const ADMINISTRATION_TIMEOUT_MS = 5_000;
const INFO_TIMEOUT_MS = 5_000;
/** The server publishes it in its own account, for each connection of each account. */
const CONNECTION_CLOSED = '$SYS.ACCOUNT.*.DISCONNECT';
const ACCOUNT_STATISTICS = '$SYS.REQ.ACCOUNT.PING.STATZ';
const CONNECTION_OPENED = '$SYS.ACCOUNT.*.CONNECT';

const open = ({ url, log }: LinkOptions, key: UserKey, name: string): Promise<NatsConnection> =>
  dial({
    servers: url,
    name,
    authenticator: authenticatorOf(key.seed),
    redialMs: RECONNECT_MS,
    onThrown: log,
    timeout: DIAL_TIMEOUT_MS,
  });

/** A server that does not have the accounts, in its own words or by what it does. */
class NotOurs extends Error {}

/**
 * A server without accounts takes any credential and puts everyone into one account, where nothing that a module may
 * not do is refused (I7): that is found out here and not by the first attack.
 */
const checkAccount = async (nc: NatsConnection, wanted: string): Promise<void> => {
  const reply = await linkedRequest(nc, '$SYS.REQ.USER.INFO', '', { timeout: INFO_TIMEOUT_MS });
  const account = reply.json<{ data?: { account?: string } }>().data?.account;
  if (account !== wanted) throw new NotOurs(`it takes the broker into account ${account}, not ${wanted}`);
};

/** The client has classes for these and does not export them. */
const isWithoutJetStream = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'JetStreamNotEnabled' || isThrown(error, 'notEnabledForAccount'));

const refused = (error: unknown, { url, remedy }: LinkOptions): Fault => {
  const { message } = error as Error;
  const advice = remedy === undefined ? '' : `. ${remedy}`;
  if (isClientError(error, 'AuthorizationError') || error instanceof NotOurs) {
    return fault('SERVER_REFUSED', `${url} does not know the broker: ${message}${advice}`);
  }
  if (isWithoutJetStream(error)) {
    return fault('SERVER_REFUSED', `${url} has no JetStream: its configuration needs \`jetstream\`${advice}`);
  }
  return fault('SERVER_UNREACHABLE', `no NATS server answers at ${url}: ${message}`);
};

export const openLink = (options: LinkOptions): TE.TaskEither<Fault, Link> => {
  const { url, core, system, log, onLost } = options;
  const opened: NatsConnection[] = [];
  let people: Intake | undefined;
  const connectAs = async (key: UserKey, name: string, account: string): Promise<NatsConnection> => {
    const nc = await open(options, key, name);
    opened.push(nc);
    await checkAccount(nc, account);
    return nc;
  };
  return TE.tryCatch(
    async () => {
      const nc = await connectAs(core, 'tallystick broker', 'CORE');
      const sys = await connectAs(system, 'tallystick broker, administration', 'SYS');
      const jsm = await whileLinked(nc, () => jetstreamManager(nc));
      const connections = new OpenConnections((id) => end(`${id}`));
      let since: number | undefined = performance.now();
      void (async () => {
        for await (const status of nc.status() as AsyncIterable<Status>) {
          if (status.type === 'disconnect') {
            since = undefined;
            connections.forget();
            log('the connection to the server is lost');
            onLost?.();
          } else if (status.type === 'reconnect') {
            since = performance.now();
            log('the server answers again');
          } else if (status.type === 'error') {
            log(`the server says: ${status.error.message}`);
          }
        }
      })();
      const close = async (): Promise<void> => {
        await Promise.allSettled([people?.close(), nc.close(), sys.close()]);
      };
      /** Asks the server itself, under its own account. */
      const administer = async <T>(what: string, body = ''): Promise<T> => {
        const subject = `$SYS.REQ.SERVER.${nc.info?.server_id ?? ''}.${what}`;
        const reply = await linkedRequest(sys, subject, body, { timeout: ADMINISTRATION_TIMEOUT_MS });
        const answer = reply.json<{ data?: T; statsz?: T; error?: { description?: string } }>();
        if (answer.error !== undefined) throw new Error(answer.error.description ?? 'no reason given');
        return (answer.data ?? answer.statsz) as T;
      };
      const end = async (connection: string): Promise<void> => {
        await administer('KICK', JSON.stringify({ cid: Number(connection) }));
      };
      const openings: ((account: string, cid: number) => void)[] = [];
      sys.subscribe(CONNECTION_OPENED, {
        callback: (error, msg) => {
          if (error !== null) return;
          const event = msg.json<ConnectionOpened>();
          connections.opened(event);
          const { acc, id } = event.client ?? {};
          if (acc !== undefined && id !== undefined) for (const heard of openings) heard(acc, id);
        },
      });
      const onClosed = (heard: (connection: string) => void): void => {
        sys.subscribe(CONNECTION_CLOSED, {
          callback: (error, msg) => {
            if (error !== null) return;
            const event = msg.json<ConnectionClosed>();
            connections.closed(event);
            const connection = closedConnectionOf(event);
            if (connection !== undefined) heard(connection);
          },
        });
      };
      const keepOut = async (account: string): Promise<void> => {
        await connections.keepOut(account);
        if (since === undefined) return;
        // Those from before the broker heard the events.
        const listed = JSON.stringify({ acc: account, limit: MOST_LISTED_CONNECTIONS });
        const { connections: left = [] } = await administer<{
          connections?: readonly { readonly cid: number }[];
        }>('CONNZ', listed);
        await Promise.allSettled(left.map(({ cid }) => end(`${cid}`)));
      };
      const received = async (accounts: readonly string[]): Promise<ReadonlyMap<string, AccountReceived>> => {
        const reply = await linkedRequest(sys, ACCOUNT_STATISTICS, JSON.stringify({ accounts }), {
          timeout: ADMINISTRATION_TIMEOUT_MS,
        });
        const { data } = reply.json<{ readonly data?: AccountStatistics }>();
        return new Map((data?.account_statz ?? []).map((each) => [each.acc, each.received]));
      };
      const isLinked = (): boolean => since !== undefined;
      const intake = await Intake.open({ url, seed: core.seed, nc, log, end, isLinked });
      people = intake;
      const reload = (): TE.TaskEither<Fault, void> =>
        TE.tryCatch(
          async () => {
            // A server that is down reads the file when it starts.
            if (since !== undefined) await administer('RELOAD');
          },
          (error) =>
            fault('SERVER_REFUSED', `the server did not take the new accounts: ${(error as Error).message}`),
        );
      const subscriptions = (isListed: boolean): Promise<AccountSubscriptions> =>
        administer('SUBSZ', JSON.stringify({ account: 'CORE', subscriptions: isListed }));
      const jetStreamSettings = (): TE.TaskEither<Fault, JetStreamSettings> =>
        TE.tryCatch(
          async () => (await administer<{ config?: JetStreamSettings }>('JSZ')).config ?? {},
          (error) =>
            fault('SERVER_REFUSED', `the server does not tell how it stores: ${(error as Error).message}`),
        );
      return {
        nc,
        people: intake,
        jsm,
        serverVersion: nc.info?.version ?? '',
        linkedSince: () => since,
        answers: () => whileLinked(nc, () => nc.flush()),
        reload,
        keepOut,
        letIn: (stillOut) => connections.letIn(stillOut),
        received,
        jetStreamSettings,
        subscriptions,
        reports: connectionReports(administer, connections),
        onOpened: (heard) => void openings.push(heard),
        onClosed,
        close,
        [Symbol.asyncDispose]: close,
      };
    },
    (error) => {
      for (const nc of opened) void nc.close();
      void people?.close();
      return refused(error, options);
    },
  );
};
