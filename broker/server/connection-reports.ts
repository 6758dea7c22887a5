import type { ServerTraffic } from '../../schemas/broker-counters.js';
import type { ReportedConnection } from '../serving/subscription-churn.js';
import type { OpenConnections } from './open-connections.js';

/** What the server says of connections and subscriptions of accounts. Rejects if it does not tell. */
export interface ConnectionReports {
  /** Subscriptions that were ever made in an account, or in all. A reload of the accounts starts the count again. */
  readonly subscriptionsMade: (account?: string) => Promise<number>;
  readonly connections: (account: string) => Promise<readonly ReportedConnection[]>;
  /** Accounts with connections. */
  readonly accounts: () => readonly string[];
  /** Bytes that it has received and sent since its start. */
  readonly traffic: () => Promise<ServerTraffic>;
  /** Has the server close a connection. */
  readonly end: (cid: number) => Promise<void>;
}

/** Source: `ConnInfo` in monitor.go of nats-server 2.15.1. */
interface ConnectionInfo {
  readonly cid: number;
  readonly last_activity?: string;
  readonly in_msgs?: number;
}

/** Source: `ServerStats` in events.go of nats-server 2.15.1. `VARZ` has the same, and all settings of the server. */
interface ServerStatistics {
  readonly received?: { readonly bytes?: number };
  readonly sent?: { readonly bytes?: number };
  readonly connections?: number;
}

/** Above the limit of every account. */
export const MOST_LISTED_CONNECTIONS = 1_024;

type Administer = <T>(what: string, body?: string) => Promise<T>;

export const connectionReports = (administer: Administer, open: OpenConnections): ConnectionReports => ({
  subscriptionsMade: async (account) => {
    const body = JSON.stringify(account === undefined ? {} : { account });
    return (await administer<{ readonly num_inserts?: number }>('SUBSZ', body)).num_inserts ?? 0;
  },
  connections: async (account) => {
    const body = JSON.stringify({ acc: account, limit: MOST_LISTED_CONNECTIONS });
    const { connections = [] } = await administer<{ readonly connections?: readonly ConnectionInfo[] }>(
      'CONNZ',
      body,
    );
    return connections.map(({ cid, last_activity = '', in_msgs = 0 }) => ({
      cid,
      lastActivity: last_activity,
      sent: in_msgs,
    }));
  },
  accounts: () => open.names,
  traffic: async () => {
    const { received, sent, connections = 0 } = await administer<ServerStatistics>('STATSZ');
    return { inBytes: received?.bytes ?? 0, outBytes: sent?.bytes ?? 0, connections };
  },
  end: async (cid) => {
    await administer('KICK', JSON.stringify({ cid }));
  },
});
