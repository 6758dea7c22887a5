import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { connect, errors, type NatsConnection } from 'nats';
import type { Fault } from '../../../schemas/errors.js';
import type { Result } from '../../../schemas/result.js';
import { tallystick } from '../../support/broker.js';
import { startServer, type TestServer } from '../../support/server.js';
import { waitFor } from '../../support/wait-for.js';

/** Where an embedded server keeps its log. */
export const storeOf = (dataDir: string): string => join(dataDir, 'server', 'store');

/** Takes the files of a server that does not run back to what they were. */
export const restore = (storeDir: string, copy: string): void => {
  rmSync(storeDir, { recursive: true });
  cpSync(copy, storeDir, { recursive: true });
};

const ask = async (nc: NatsConnection, agent: string, action: string, data: object): Promise<Result> => {
  // A broker whose server was away is not there for a moment; what nobody took was not done either.
  const reply = await waitFor('somebody to take the call', () =>
    nc
      .request(`call.accounts.${action}.${agent}`, JSON.stringify(data), { timeout: 30_000 })
      .catch((error: unknown) => {
        if (error instanceof errors.RequestError && error.isNoResponders()) return undefined;
        throw error;
      }),
  );
  return reply.json<Result>();
};

export const deposit = async (url: string, agent: string, amounts: readonly number[]): Promise<void> => {
  const nc = await connect({ servers: url });
  for (const amount of amounts) assert.equal((await ask(nc, agent, 'deposit', { amount })).status, 'ok');
  await nc.close();
};

export const balance = async (url: string, agent: string): Promise<number> => {
  const nc = await connect({ servers: url });
  const result = await ask(nc, agent, 'balance', {});
  await nc.close();
  assert.equal(result.status, 'ok');
  return (result as { data: { balance: number } }).data.balance;
};

/** A start that is to fail; its exit code and what it says last. */
export const refusedStart = async (
  dataDir: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly error: Fault }> => {
  const { code, stdout, stderr } = await tallystick(['start', '--json', ...args], {
    dataDir,
    timeoutMs: 60_000,
  });
  assert.equal(stdout, '');
  const line = stderr.trimEnd().split('\n').at(-1) ?? '';
  return { code, error: (JSON.parse(line) as { error: Fault }).error };
};

/** A server without the broker's accounts on the broker's log, as whoever has the files may start one. */
export const bareServer = (storeDir: string): Promise<TestServer> =>
  startServer({
    storeDir,
    syncInterval: 'always',
    config: 'accounts { CORE { jetstream: enabled, users: [ { user: a, password: a } ] } }\nno_auth_user: a',
  });

/** What is kept of the losses. */
export const keptIn = (dataDir: string): readonly string[] => {
  const dir = join(dataDir, 'lost');
  return existsSync(dir) ? readdirSync(dir).map((name) => join(dir, name)) : [];
};
