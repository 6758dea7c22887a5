import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, headers as makeHeaders } from 'nats';
import { HEADER } from '../../schemas/headers.js';
import type { Result } from '../../schemas/result.js';
import { startBroker, type TestBroker, tallystick } from '../support/broker.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { checkSettledLog } from './system-state.js';

const HOUR_MS = 3_600_000;

/** The export as a server would have stored it whose clock was an hour ahead. */
const anHourAhead = (lines: string): string =>
  lines.replace(/"time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)/g, (_, at: string) => {
    const ahead = new Date(Date.parse(`${at}Z`) + HOUR_MS).toISOString();
    return `"time":"${ahead.slice(0, 'yyyy-mm-ddThh:mm:ss'.length)}`;
  });

const run = async (dataDir: string, ...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await tallystick(args, { dataDir, timeoutMs: 120_000 });
  assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
};

const call = async (
  { url }: TestBroker,
  action: string,
  data: object,
  extra: Readonly<Record<string, string>> = {},
): Promise<Result> => {
  const nc = await connect({ servers: url });
  const headers = makeHeaders();
  for (const [name, value] of Object.entries(extra)) headers.set(name, value);
  const subject = `call.accounts.${action}.alice`;
  const reply = await nc.request(subject, JSON.stringify(data), { headers, timeout: 30_000 });
  await nc.close();
  return reply.json<Result>();
};

const balance = async (broker: TestBroker): Promise<number> => {
  const result = await call(broker, 'balance', {});
  assert.equal(result.status, 'ok');
  return (result as { data: { balance: number } }).data.balance;
};

test('I1 to I6 hold on a log whose records are of a time to come: what is due is judged by the clock, what was before by the sequence', async () => {
  await using home = tempDir();
  const [first, second] = [join(home.path, 'first'), join(home.path, 'second')];
  const file = join(home.path, 'ahead.ndjson');
  {
    await using broker = await startBroker({ dataDir: first });
    for (let i = 0; i < 20; i++) assert.equal((await call(broker, 'deposit', { amount: 1 })).status, 'ok');
    writeFileSync(file, anHourAhead(await run(first, 'replay', 'export')));
  }
  await run(second, 'replay', 'import', file);
  const start = (): Promise<TestBroker> => startBroker({ dataDir: second });
  let broker = await start();
  try {
    assert.equal(await balance(broker), 20);
    const within = (ms: number) => ({ [HEADER.deadline]: new Date(Date.now() + ms).toISOString() });
    // An hour behind the newest record, and in good time.
    assert.equal((await call(broker, 'deposit', { amount: 1 }, within(30_000))).status, 'ok');
    assert.equal((await call(broker, 'deposit', { amount: 1 }, within(-1_000))).status, 'expired');
    await run(second, 'call', 'accounts.deposit', '{"amount":100}', '--agent', 'alice', '--in', '1s');
    await waitFor('what is due to be sent', async () => (await balance(broker)) === 121, 30_000);

    await broker.kill('SIGKILL');
    broker = await start();
    assert.equal(await balance(broker), 121);
    assert.equal((await call(broker, 'deposit', { amount: 1 })).status, 'ok');
    assert.equal(await balance(broker), 122);

    await checkSettledLog(second);
    // Behind "two hours ago" lie the records to come as well as those of now.
    const all = (await run(second, 'replay', 'history', '--json')).trim().split('\n');
    assert.equal(
      (await run(second, 'replay', 'history', '--json', '--from', '2h')).trim().split('\n').length,
      all.length,
    );
    await run(second, 'replay', 'verify');
    await run(second, 'replay', 'rebuild', '--check');
    await broker.stop();
  } finally {
    await broker[Symbol.asyncDispose]();
  }
});
