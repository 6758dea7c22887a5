import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { connect, type NatsConnection } from 'nats';
import { createProducer, type TaskProducer } from '../../modules/client/index.js';
import { OPS } from '../../schemas/operate.js';
import { linkState } from '../../link/link-state.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { brokerStatus } from '../support/broker-status.js';
import { success } from '../support/either.js';
import { connectOperator } from '../support/log-checks.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { writePatients } from './patients-module.js';
import { tallystick } from './tallystick.js';

const TIMEOUT = { timeout: 30_000 };
const NAME = 'Xanthippe';
const SECRET = 'correct-horse-battery';
const CONFIG = {
  type: 'object',
  properties: { key: { type: 'string', minLength: 8, sensitive: true } },
  required: ['key'],
};

const filesWith = (dir: string, word: string): readonly string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => readFileSync(path).includes(word));

interface Answer {
  readonly status: string;
  readonly data?: { readonly name?: string; readonly ward?: number };
  readonly error?: { readonly code: string };
}

describe('a module that encrypts and has a configuration with a secret, on a log that syncs each record', () => {
  let home: TempDir;
  let broker: TestBroker;
  let guest: NatsConnection;

  const start = async (): Promise<void> => {
    const module = join(home.path, 'patients');
    const args = ['--durability', 'fsync', '--module', module];
    broker = await startBroker({ dataDir: join(home.path, 'data'), shipped: [], args });
    guest = await connect({ servers: broker.url });
  };
  const ask = async (subject: string, data: object): Promise<Answer> =>
    (await guest.request(subject, JSON.stringify(data), TIMEOUT)).json<Answer>();
  const run = (...args: readonly string[]) =>
    tallystick([...args, '--data', broker.dataDir], { cwd: home.path });
  const admit = (producer: TaskProducer, agent: string) =>
    producer.sendAll([{ module: 'patients', name: 'admit', agent, data: { name: NAME, ward: 1 } }])();

  before(async () => {
    home = tempDir();
    writePatients(home.path, 'patients', true, { config: CONFIG });
    await start();
  });
  after(async () => {
    await guest?.close();
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  it('starts when it has its secret, and has its keys too', async () => {
    const state = async () =>
      (await brokerStatus(broker.dataDir)).modules.find(({ name }) => name === 'patients');
    assert.match((await state())?.reason ?? '', /^CONFIG_MISSING/);
    const operator = await connectOperator(broker.dataDir);
    const body = JSON.stringify({ module: 'patients', key: 'key', value: SECRET });
    const change = await operator.request(OPS.configSet, body, TIMEOUT);
    assert.equal(change.json<{ effect?: string }>().effect, 'started', change.string());
    await operator.close();
    assert.deepEqual((await ask('call.patients.admit.anna', { name: NAME, ward: 1 })).data, {
      name: NAME,
      ward: 1,
    });
    assert.equal((await ask('call.patients.look.anna', {})).data?.name, NAME);
  });

  it('has what a producer outside sends encrypted, once each, also when the broker is killed meanwhile', async () => {
    await using producer = success(await createProducer(guest, { name: 'ward' })());
    for (let i = 0; i < 5; i++) success(await admit(producer, 'bert'));
    const under = Promise.all(Array.from({ length: 20 }, () => admit(producer, 'bert')));
    const link = linkState(guest);
    await broker.kill();
    // The client throws if it is closed between the end of its socket and the moment when it notices that.
    await waitFor('the connection to be lost', () => !link.isUp);
    await producer.close();
    const sent = (await under).filter(E.isRight).length;
    await guest.close();
    await start();
    const wards = async (): Promise<number> => (await ask('call.patients.look.bert', {})).data?.ward ?? 0;
    const least = 5 + sent;
    await waitFor('what was acknowledged', async () => (await wards()) >= least);
    assert.ok((await wards()) <= 25);
    const verified = await run('replay', 'verify');
    assert.equal(verified.code, 0, `${verified.stdout}${verified.stderr}`);
    assert.deepEqual(filesWith(broker.dataDir, NAME), []);
    assert.deepEqual(filesWith(broker.dataDir, SECRET), []);
  });

  it('takes nothing for an erased agent from a producer outside, and goes on for others', async () => {
    assert.equal((await run('agent', 'erase', 'patients', 'bert', '--yes')).code, 0);
    await using producer = success(await createProducer(guest, { name: 'later' })());
    const refused = await admit(producer, 'bert');
    assert.ok(E.isLeft(refused));
    assert.match(JSON.stringify(refused.left), /AGENT_ERASED/);
    success(await admit(producer, 'carl'));
    await waitFor('the other', async () => (await ask('call.patients.look.carl', {})).data?.ward === 1);
    assert.equal((await run('replay', 'verify')).code, 0);
  });
});
