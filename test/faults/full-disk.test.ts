import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, headers as makeHeaders, type NatsConnection } from 'nats';
import { HEADER } from '../../schemas/headers.js';
import type { Result } from '../../schemas/result.js';
import { notHere } from '../runner/not-here.js';
import { startBroker, tallystick } from '../support/broker.js';
import { byForm } from '../support/form.js';
import { writeShippedModule } from '../support/module-dir.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { Ledger } from './ledger.js';
import { mountSmallDisk } from './small-disk.js';
import { checkMoney, checkSettledLog } from './system-state.js';

const DISK_MIB = 96;
const ROUNDS = byForm({ short: 1, deep: 2, full: 5 });
const MOST_ROUNDS = ROUNDS + 10;
const RESTARTED = /\[server\] nats-server could not write because its disk was full, and is restarted/;
/** Calls that are sent while the disk is full, beside those that were under way. */
const CALLS = 40;
const AGENTS = ['alice', 'bob', 'carol'];

const call = async (nc: NatsConnection, ledger: Ledger, i: number): Promise<Result | undefined> => {
  const subject = `call.accounts.deposit.${AGENTS[i % AGENTS.length]}`;
  const trace = ledger.begin(subject);
  const headers = makeHeaders();
  headers.set(HEADER.trace, trace);
  try {
    const reply = await nc.request(subject, '{"amount":1}', { headers, timeout: 2_000 });
    const result = reply.json<Result>();
    const cause = Number(reply.headers?.get(HEADER.cause) ?? 0);
    if (cause > 0) {
      ledger.acknowledge(trace, cause);
      ledger.answer(cause, reply.string());
    } else if (result.status !== 'ok' && result.error.code === 'LOG_FULL') ledger.refuse(trace, 'LOG_FULL');
    return result;
  } catch {
    return undefined;
  }
};

test('I1 I3 I8 a full disk: calls are refused by name, nothing is lost, and the broker continues once there is room', async (t) => {
  const disk = mountSmallDisk(DISK_MIB);
  // The run names it among what was not run: without the right to mount there is no disk to fill.
  if (typeof disk === 'string') return t.skip(notHere(`no small file system can be mounted: ${disk}`));
  await using _disk = disk;
  await using dir = tempDir();
  const module = await writeShippedModule(join(dir.path, 'accounts'), 'accounts', { crashes: 1_000 });
  const dataDir = join(disk.path, 'data');
  const args = ['--durability', 'os', '--no-shipped', '--module', module, '--max-bytes', '16MiB'];
  await using broker = await startBroker({ dataDir, args });
  const nc = await connect({ servers: broker.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  t.after(() => nc.close());
  const ledger = new Ledger();
  const isOk = async (i: number): Promise<boolean> => (await call(nc, ledger, i))?.status === 'ok';

  const hasRestarted = (): boolean => broker.stderr.some((line) => RESTARTED.test(line));
  // Whatever is freed a moment after the disk was filled, the server may write into: then it has not failed.
  for (let round = 1; round <= ROUNDS || (!hasRestarted() && round <= MOST_ROUNDS); round++) {
    for (let i = 0; i < 20; i++) await waitFor('a call', () => isOk(i), 60_000);
    disk.fill();
    const flying = Promise.all(Array.from({ length: CALLS }, (_, i) => call(nc, ledger, i)));
    // Whatever the first ones met, a caller is told soon, and what to do.
    const refused = await waitFor(
      'a call to be refused',
      async () => {
        const result = await call(nc, ledger, 0);
        return result !== undefined && result.status !== 'ok' && result.error.code === 'LOG_FULL' && result;
      },
      60_000,
    );
    assert.match(JSON.stringify(refused), /make room until 16 MiB are free, and the broker continues/);
    const { code } = await tallystick(['status', '--json'], { dataDir });
    assert.equal(code, 0);
    await flying;
    disk.free();
    await waitFor('a call to be taken again', () => isOk(1), 60_000);
  }

  const against = ledger.check();
  await checkSettledLog(dataDir, against.add);
  assert.deepEqual(against.findings(), []);
  await checkMoney(nc, AGENTS, dataDir);
  // Snapshots that could not be written are there, and what they should be.
  const checked = await tallystick(['replay', 'rebuild', '--check'], { dataDir, timeoutMs: 60_000 });
  assert.equal(checked.code, 0, checked.stderr);
  const said = broker.stderr.join('\n');
  assert.match(said, /\[server\] LOG_FULL: the disk of .* left/);
  assert.match(said, RESTARTED);
  t.diagnostic(`${ledger.sent} calls, ${ledger.acknowledged} recorded, ${ledger.answered} answered`);
  await nc.close();
  await broker.stop();
});
