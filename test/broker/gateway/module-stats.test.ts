import { after, before, describe, it } from 'node:test';
import { connect, headers, type NatsConnection } from 'nats';
import type { ModuleStats } from '../../../schemas/operate.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { connectOperator } from '../../support/log-checks.js';
import { waitFor } from '../../support/wait-for.js';

describe('the statistics of a module', () => {
  let broker: TestBroker;
  let guest: NatsConnection;
  let operator: NatsConnection;
  before(async () => {
    broker = await startBroker({ shipped: ['accounts'] });
    guest = await connect({ servers: broker.url });
    operator = await connectOperator(broker.dataDir);
  });
  after(async () => {
    await guest?.close();
    await operator?.close();
    await broker?.[Symbol.asyncDispose]();
  });

  const counts = async (): Promise<Readonly<Record<string, readonly [commands: number, calls: number]>>> => {
    const reply = await operator.request('ops.module.stats', '{"name":"accounts"}', { timeout: 20_000 });
    const [accounts] = reply.json<{ modules: readonly ModuleStats[] }>().modules;
    const rows = accounts?.actions.map(({ action, commands, calls }) => [action, [commands, calls] as const]);
    return Object.fromEntries(rows ?? []);
  };
  const until = (what: string, action: string, expected: readonly [number, number]): Promise<boolean> =>
    waitFor(what, async () => {
      const found = (await counts())[action];
      if (found?.join() !== expected.join()) throw new Error(`${action}: ${found}, not ${expected}`);
      return true;
    });
  const request = (subject: string, body: string, when?: readonly [string, string]) => {
    const all = headers();
    if (when !== undefined) all.set(...when);
    return guest.request(subject, body, { timeout: 20_000, headers: all });
  };

  it('counts commands of every kind, and calls on their own', async () => {
    await request('call.accounts.deposit.ada', '{"amount":50}');
    await until('a call', 'deposit', [1, 1]);
    guest.publish('cmd.accounts.deposit.ada', '{"amount":1}');
    await until('a plain command', 'deposit', [2, 1]);
    await request('schedule.accounts.deposit.ada', '{"amount":1}', ['Tally-In', '1s']);
    await until('a firing', 'deposit', [3, 1]);
    await request('call.accounts.transfer.ada', '{"to":"bob","amount":2}');
    await until('a command of a module', 'credit', [1, 0]);
    // A refused call is no command.
    await request('call.accounts.deposit', '{"amount":1}');
    await until('a refused call', 'deposit', [3, 2]);
  });
});
