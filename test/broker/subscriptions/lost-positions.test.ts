import assert from 'node:assert/strict';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from 'nats';
import { startBroker } from '../../support/broker.js';
import { subscriber } from '../../support/subscribing.js';
import { tempDir } from '../../support/temp-dir.js';
import { bareServer, deposit, storeOf } from '../log/two-logs.js';

const EVENTS = ['accounts.deposited'];

/** Stores events, and acknowledges all that the subscription is given. The position. */
const depositAndAcknowledge = async (dataDir: string, times: number): Promise<number> => {
  await using broker = await startBroker({ dataDir, shipped: ['accounts'], args: ['--durability', 'os'] });
  await using nc = await connect({ servers: broker.url });
  const by = subscriber(nc);
  assert.equal((await by.open('books', { events: EVENTS, from: 'start' })).error, undefined);
  await by.open('idle', { events: EVENTS, from: 'start' });
  await deposit(broker.url, 'alice', Array(times).fill(1));
  let seen = 0;
  for (let at = 0; seen < times; ) {
    const page = await by.next('books', { expiresMs: 20_000, after: at });
    seen += page.events.length;
    at = page.upTo;
    await by.ack('books', at);
  }
  const { position } = await by.next('books');
  return position;
};

/** What a subscription does on a log that lost the records of its position, also when it has grown beyond it. */
const isLost = async (dataDir: string, position: number): Promise<void> => {
  await using broker = await startBroker({ dataDir, shipped: ['accounts'], args: ['--durability', 'os'] });
  await using nc = await connect({ servers: broker.url });
  const by = subscriber(nc);
  const codes = async (): Promise<readonly (string | undefined)[]> => [
    (await by.next('books')).error?.code,
    (await by.ack('books', 1)).error?.code,
    (await by.open('books', { events: EVENTS, from: 'start' })).error?.code,
  ];
  const lost = ['SUBSCRIPTION_LOST', 'SUBSCRIPTION_LOST', 'SUBSCRIPTION_LOST'];
  assert.deepEqual(await codes(), lost);
  await deposit(broker.url, 'alice', Array(position).fill(1));
  assert.deepEqual(await codes(), lost, 'the log has grown beyond the position');
  const listed = (await by.list()).find(({ name }) => name === 'books');
  assert.equal(listed?.lag, null);
  await by.remove('books');
  await by.open('books', { events: EVENTS, from: 'start' });
  const { events } = await by.next('books', { expiresMs: 10_000 });
  assert.ok(events.length > 0);
};

it('I9 the position of a subscription is lost with the log that it was of, and no event is skipped', async () => {
  await using dir = tempDir();
  const dataDir = join(dir.path, 'data');
  const position = await depositAndAcknowledge(dataDir, 10);
  {
    await using server = await bareServer(storeOf(dataDir));
    const nc = await connect({ servers: server.url });
    await (await jetstreamManager(nc)).streams.delete('LOG');
    await nc.close();
    await server.kill('SIGTERM');
  }
  await isLost(dataDir, position);
});

it('I9 the position of a subscription is lost with the end of the log, and no event is skipped', async () => {
  await using dir = tempDir();
  const dataDir = join(dir.path, 'data');
  await depositAndAcknowledge(dataDir, 3);
  const [account = ''] = readdirSync(join(storeOf(dataDir), 'jetstream')).filter(
    (name) => !name.startsWith('$'),
  );
  const log = join(storeOf(dataDir), 'jetstream', account, 'streams', 'LOG');
  const copy = join(dir.path, 'copy');
  cpSync(log, copy, { recursive: true });
  const position = await depositAndAcknowledge(dataDir, 10);
  rmSync(log, { recursive: true });
  cpSync(copy, log, { recursive: true });
  await isLost(dataDir, position);
});
