/** The service of the peer DBOS: a deposit is a workflow with one step, and balances are in the same PostgreSQL. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import { eventually, LOOPBACK } from '../peers/loopback-server.js';
import { loadFrom } from '../peers/npm-packages.js';
import type { DbosQuestions, DbosSetting } from './dbos-callee.js';

/** The part of DBOS that is used here. It is no dependency, so its types are not there. */
interface Dbos {
  readonly DBOS: {
    setConfig(config: {
      readonly name: string;
      readonly systemDatabaseUrl: string;
      readonly logLevel: string;
      readonly runAdminServer: boolean;
    }): void;
    registerWorkflow<A extends readonly unknown[], R>(
      workflow: (...args: A) => Promise<R>,
      options: { readonly name: string },
    ): (...args: A) => Promise<R>;
    runStep<R>(step: () => Promise<R>, options: { readonly name: string }): Promise<R>;
    launch(): Promise<void>;
  };
}

/** The part of the client of PostgreSQL that is used here. */
interface PgPackage {
  readonly Pool: new (options: {
    readonly connectionString: string;
  }) => {
    query(
      sql: string,
      values?: readonly unknown[],
    ): Promise<{ readonly rows: readonly { balance: string }[] }>;
  };
}

const TABLE = 'CREATE TABLE IF NOT EXISTS accounts (name text PRIMARY KEY, balance bigint NOT NULL)';
const DEPOSIT = `INSERT INTO accounts VALUES ($1, $2)
  ON CONFLICT (name) DO UPDATE SET balance = accounts.balance + excluded.balance RETURNING balance`;

const { folder, url } = settingOf<DbosSetting>();
const { DBOS } = loadFrom<Dbos>(folder, '@dbos-inc/dbos-sdk');
const { Pool } = loadFrom<PgPackage>(folder, 'pg');
const pool = new Pool({ connectionString: url });

const add = async (agent: string, amount: number): Promise<number> =>
  Number((await pool.query(DEPOSIT, [agent, amount])).rows[0]?.balance);

const deposit = DBOS.registerWorkflow(
  async (agent: string, amount: number) => {
    const balance = await DBOS.runStep(() => add(agent, amount), { name: 'add' });
    return { status: 'ok', data: { balance } };
  },
  { name: 'deposit' },
);

/** `/accounts/AGENT/deposit`. */
const handle = async (request: IncomingMessage): Promise<unknown> => {
  const [, , agent = ''] = (request.url ?? '').split('/');
  const { amount } = JSON.parse(await text(request)) as { readonly amount: number };
  return deposit(agent, amount);
};

const server = createServer((request, response) => {
  const reply = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  handle(request).then(
    (result) => reply(200, result),
    (error: unknown) => reply(500, { status: 'failed', error: String(error) }),
  );
});

answerQuestions<DbosQuestions>({
  start: async () => {
    await eventually(() => pool.query(TABLE));
    DBOS.setConfig({ name: 'accounts', systemDatabaseUrl: url, logLevel: 'error', runAdminServer: false });
    await DBOS.launch();
    server.listen(0, LOOPBACK);
    await once(server, 'listening');
    return { pid: process.pid, port: (server.address() as AddressInfo).port };
  },
});
