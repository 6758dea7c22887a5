import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { connect, type NatsConnection } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { verifyLog } from '../../replay/index.js';
import { HEADER } from '../../schemas/headers.js';
import { mayStoreCopy } from '../../schemas/publish-rights.js';
import type { StoredMessage } from '../../schemas/record.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { success } from '../support/either.js';
import { byForm } from '../support/form.js';
import { jsonText, resultText } from '../support/json-text.js';
import { connectOperator } from '../support/log-checks.js';
import { writeManifest } from '../support/module-dir.js';
import { moduleStatus } from '../support/modules.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { tempDir } from '../support/temp-dir.js';

const RAW = join(PROJECT_ROOT, 'test', 'fixtures', 'modules', 'raw');
const RESULTS = byForm({ short: 60, deep: 400, full: 2_000 });

const EVENTS = ['added', 'noted', 'A-b_9'] as const;

/** What a module may have stored as a consequence: its own events that it declares, its own commands, and those that it declares. */
const allowed = fc.oneof(
  fc
    .tuple(fc.constantFrom(...EVENTS), fc.option(fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/)))
    .map(([name, agent]) => `evt.raw.${name}${agent === null ? '' : `.${agent}`}`),
  fc.stringMatching(/^cmd\.accounts\.deposit\.[a-z]{1,8}$/),
  fc.constantFrom('cmd.accounts.deposit', 'cmd.raw.add.x'),
);
const forbidden = fc.oneof(
  fc.constantFrom(
    'evt.accounts.deposited.eve',
    'cmd.accounts.withdraw.alice',
    'cmd.accounts.constructor.x',
    'cmd.raw.nothing.x',
    'cmd.raw.add',
    'cmd.accounts.deposit.alice.accounts',
    'evt.rawer.added.x',
    // Its own name, and no event of its manifest.
    'evt.raw.undeclared.x',
    'evt.raw.constructor',
    'evt.raw',
    'evt.raw.',
    'evt.raw.>',
    'evt.raw.*.x',
    'evt.raw.a.b.c',
    'evt.raw.a b',
    'evt.raw.a\r\nPUB evt.accounts.deposited.eve 2\r\n{}',
    'cmd.accounts.deposit.*',
    `evt.raw.${'a'.repeat(65)}`,
  ),
  fc.tuple(fc.constantFrom('evt.', 'cmd.'), fc.string({ maxLength: 12 })).map((parts) => parts.join('')),
);

const start = (dataDir: string, raw: string): Promise<TestBroker> =>
  startBroker({ dataDir, shipped: ['accounts'], args: ['--durability', 'os', '--module', raw] });

const kill = async (broker: TestBroker, name: string): Promise<void> => {
  const before = await moduleStatus(broker, name, ({ state }) => state === 'loaded');
  process.kill(before.pid as number, 'SIGKILL');
  await moduleStatus(broker, name, ({ state, pid }) => state === 'loaded' && pid !== before.pid);
};

const logOf = async (broker: TestBroker): Promise<readonly StoredMessage[]> => {
  const nc = await connectOperator(broker.dataDir);
  const records: StoredMessage[] = [];
  for await (const message of readLog(nc)) records.push(message);
  await nc.close();
  return records;
};

const text = (data: Uint8Array): string => Buffer.from(data).toString();

/** The copies of one command in the log, by their part. */
const copiesOf = (records: readonly StoredMessage[], cause: string): ReadonlyMap<string, StoredMessage> =>
  new Map(
    records
      .filter((each) => each.header(HEADER.cause) === cause && each.header(HEADER.part) !== undefined)
      .map((each) => [each.header(HEADER.part) as string, each]),
  );

const ask = (nc: NatsConnection, action: string, agent: string, body: object) =>
  nc.request(`call.raw.${action}.${agent}`, JSON.stringify(body), { timeout: 30_000 });

test('I4 I7 what a kill left out of a foreign module is stored to the byte, and only what the module itself may store', async (t) => {
  await using dir = tempDir();
  const manifest = JSON.parse(await readFile(join(RAW, 'manifest.json'), 'utf8')) as object;
  const ours = {
    name: 'raw',
    actions: { add: {}, store: {}, forge: {} },
    dependencies: { accounts: ['deposit'] },
    events: Object.fromEntries(EVENTS.map((name) => [name, { data: {} }])),
  };
  const raw = await writeManifest(join(dir.path, 'raw'), {
    ...manifest,
    dependencies: ours.dependencies,
    events: ours.events,
    start: { command: [process.execPath, join(RAW, 'main.js')] },
  });
  await using broker = await start(join(dir.path, 'data'), raw);
  const nc = await connect({ servers: broker.url });
  const subject = fc.oneof({ weight: 3, arbitrary: allowed }, { weight: 2, arbitrary: forbidden });
  const seed = Date.now();
  t.diagnostic(`seed ${seed}`);
  const results = fc.sample(resultText(subject, jsonText()), { numRuns: RESULTS, seed });
  const causes = await Promise.all(
    results.map(async (result, i) => {
      const reply = await ask(nc, 'store', `a${i}`, { text: result.text });
      // The caller gets the numbers that the log has.
      assert.equal(reply.string(), `{"status":"ok","data":${result.data}}`);
      return reply.headers?.get(HEADER.cause) as string;
    }),
  );

  // Results that answer nothing: no command, somebody else's, one of another agent, one that has a result, one to come.
  const deposit = await nc.request('call.accounts.deposit.alice', '{"amount":5}', { timeout: 30_000 });
  const theirs = Number(deposit.headers?.get(HEADER.cause));
  const out = [{ subject: 'evt.raw.forged.x', id: '1/1', data: {} }];
  const forged = { text: JSON.stringify({ status: 'ok', data: {}, out }) };
  const forgeries = [
    { cause: 1, subject: 'res.raw.store.a0' },
    { cause: theirs, subject: 'res.raw.deposit.alice' },
    { cause: Number(causes[0]), subject: 'res.raw.store.a1' },
    { cause: Number(causes[0]), subject: 'res.raw.store.a0' },
    { cause: 1_000_000, subject: 'res.raw.store.a0' },
  ];
  for (const forgery of forgeries) await ask(nc, 'forge', 'f', { ...forgery, ...forged });

  await kill(broker, 'raw');
  const records = await logOf(broker);
  let stored = 0;
  for (const [i, { out: promised }] of results.entries()) {
    const copies = copiesOf(records, causes[i] as string);
    for (const [index, each] of promised.entries()) {
      const copy = copies.get(`${index + 1}/${promised.length}`);
      if (!mayStoreCopy(ours as never, each.subject, undefined)) {
        assert.equal(copy, undefined, each.subject);
        continue;
      }
      const sender = each.subject.startsWith('cmd.') ? '.raw' : '';
      assert.deepEqual(
        [copy?.subject, text(copy?.data ?? Buffer.alloc(0))],
        [each.subject + sender, each.data],
      );
      stored += 1;
    }
  }
  assert.ok(stored > RESULTS / 2, `${stored} copies`);
  assert.equal(records.filter((each) => each.subject.startsWith('evt.raw.forged.')).length, 0);
  assert.equal(records.filter((each) => each.subject === 'evt.accounts.deposited.eve').length, 0);
  assert.equal(records.filter((each) => /^evt\.raw\.(undeclared|constructor)/.test(each.subject)).length, 0);
  assert.ok(broker.stderr.some((line) => /copy \d+ of result \d+ of command \d+ is not stored: /.test(line)));

  // Another start stores nothing twice, and what stands in the log says what was wrong.
  await kill(broker, 'raw');
  const operator = await connectOperator(broker.dataDir);
  const { verification } = success(await verifyLog({ nc: operator, graceMs: 0 })());
  await operator.close();
  assert.equal(verification.altered + verification.duplicated + verification.orphanEvents, 0);
  assert.ok(verification.forbidden > 0);
  // Events that only others may write, and commands whose sender is not theirs to choose, say so themselves.
  assert.ok(verification.unattributed + verification.answeredTwice >= forgeries.length);
  t.diagnostic(`${RESULTS} results, ${stored} copies stored, ${verification.forbidden} forbidden`);
  const balance = await nc.request('call.accounts.balance.alice', '{}', { timeout: 30_000 });
  assert.equal(balance.json<{ data: { balance: number } }>().data.balance, 5);
  await nc.close();
});
