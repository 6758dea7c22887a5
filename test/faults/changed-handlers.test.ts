import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { connect, headers as makeHeaders, type NatsConnection } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { verifyLog } from '../../replay/index.js';
import type { DeadPage } from '../../schemas/dead.js';
import { HEADER } from '../../schemas/headers.js';
import { OPS } from '../../schemas/operate.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Result } from '../../schemas/result.js';
import { manifest } from '../fixtures/modules/planner/manifest.js';
import { CALL_CHANGES, callsIn, changedCalls, type Step, saysTheSame } from '../support/changed-calls.js';
import { startBroker, tallystick, type TestBroker } from '../support/broker.js';
import { success } from '../support/either.js';
import { byForm } from '../support/form.js';
import { connectOperator } from '../support/log-checks.js';
import { jsonText } from '../support/json-text.js';
import { writeManifest, writeModule } from '../support/module-dir.js';
import { moduleStatus } from '../support/modules.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { PATIENT } from '../support/patient.js';

const HANDLERS = byForm({ short: 30, deep: 120, full: 500 });

const agent = fc.constantFrom('ann', 'bob', 'cy');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    module: fc.constant('accounts'),
    action: fc.constantFrom('deposit', 'withdraw', 'balance'),
    agent,
    data: fc.record({ amount: fc.integer({ min: 1, max: 9 }) }),
  }),
  fc.record({
    module: fc.constant('planner'),
    action: fc.constant('note'),
    agent: agent.map((name) => `note-${name}`),
    data: fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.record({ b: fc.integer(), a: fc.record({ d: fc.double(), c: fc.string() }) }),
    ),
  }),
);

const changed = fc
  .tuple(changedCalls(step, CALL_CHANGES), fc.constantFrom('ok', 'ok', 'rejects', 'throws'))
  .map(([calls, end]) => ({ ...calls, end }));

const logOf = async (nc: NatsConnection): Promise<readonly StoredMessage[]> => {
  const records: StoredMessage[] = [];
  for await (const message of readLog(nc)) records.push(message);
  return records;
};

const callsOf = (records: readonly StoredMessage[], cause: number): readonly StoredMessage[] =>
  records.filter(
    (each) => each.header(HEADER.cause) === String(cause) && each.header(HEADER.call) !== undefined,
  );

const kill = async (broker: TestBroker): Promise<void> => {
  const { pid } = await moduleStatus(broker, 'planner', ({ state }) => state === 'loaded');
  process.kill(pid as number, 'SIGKILL');
};

test('I11 a handler that is changed, killed and run again is never given the answer of another call', async (t) => {
  await using dir = tempDir();
  const plans = join(dir.path, 'plans');
  mkdirSync(plans);
  const module = await writeModule(join(dir.path, 'planner'), 'planner', {
    ...manifest,
    cage: { read: [plans] },
  });
  await using broker = await startBroker({
    shipped: ['accounts'],
    args: ['--durability', 'os', '--module', module],
  });
  const nc = await connect({ servers: broker.url });
  const operator = await connectOperator(broker.dataDir);
  const seed = Date.now();
  t.diagnostic(`seed ${seed}`);
  const cases = fc.sample(changed, { numRuns: HANDLERS, seed }).map((each, i) => ({
    ...each,
    plan: join(plans, `${i}.json`),
  }));
  const write = (i: number, plan: object): void =>
    writeFileSync(cases[i]?.plan as string, JSON.stringify(plan));

  // Each handler makes its calls, has its answers, and waits when its process is killed.
  const commands = await Promise.all(
    cases.map(async ({ before, plan, atOnce }, i) => {
      write(i, { steps: before, atOnce, end: 'waits' });
      const subject = `cmd.planner.follow.a${i}`;
      const reply = await nc.request(subject, JSON.stringify({ plan }), { timeout: 30_000 });
      return reply.json<{ seq: number }>().seq;
    }),
  );
  const recorded = cases.reduce((sum, { before }) => sum + before.length, 0);
  await waitFor('all calls to be answered', async () => {
    const records = await logOf(operator);
    const calls = commands.flatMap((seq) => callsOf(records, seq));
    const answers = new Set(
      records.filter(({ subject }) => subject.startsWith('res.')).map((each) => each.header(HEADER.cause)),
    );
    return calls.length === recorded && calls.every(({ seq }) => answers.has(String(seq)));
  });
  for (const [i, { after, atOnce, end }] of cases.entries()) write(i, { steps: after, atOnce, end });
  await kill(broker);

  const records = await waitFor(
    'every handler to be answered',
    async () => {
      const all = await logOf(operator);
      const results = all.filter(({ subject }) => subject.startsWith('res.planner.follow.'));
      return results.length === HANDLERS && all;
    },
    60_000,
  );
  const dead: number[] = [];
  for (const [i, { before, after, change, end }] of cases.entries()) {
    const seq = commands[i] as number;
    const result = records.find(
      (each) => each.subject === `res.planner.follow.a${i}` && each.header(HEADER.cause) === String(seq),
    );
    const said = JSON.parse(Buffer.from(result?.data ?? []).toString()) as Result;
    const made = callsIn(after);
    const first = before.findIndex((each, n) => n < made.length && !saysTheSame(each, made[n]));
    const isOther = first >= 0 || (made.length < before.length && end !== 'throws');
    const what = `${change}, ${end}, of command ${seq}: ${JSON.stringify(said).slice(0, 600)}`;
    const calls = callsOf(records, seq);
    if (isOther) {
      assert.equal(said.status === 'ok' ? 'ok' : said.error.code, 'REPLAY_DIFFERS', what);
      assert.ok(
        said.status === 'failed' && said.error.dead === true && said.error.message.length < 2_000,
        what,
      );
      // Nothing is recorded in the place of what was there.
      assert.deepEqual(
        calls.map((each) => Number(each.header(HEADER.call))).filter((n) => n <= before.length).length,
        before.length,
        what,
      );
      dead.push(seq);
    } else {
      const expected = { ok: 'ok', rejects: 'PLANNED', throws: 'HANDLER_THREW' }[end];
      assert.equal(said.status === 'ok' ? 'ok' : said.error.code, expected, what);
      assert.equal(calls.length, Math.max(before.length, made.length), what);
    }
  }
  t.diagnostic(`${HANDLERS} handlers, ${dead.length} differ`);

  // Both sides stand in the dead letter; redriven, the command is a new one and its calls are new.
  await waitFor('the dead letters', async () => {
    const page = (
      await operator.request(OPS.deadList, JSON.stringify({ limit: 1_000 }), PATIENT)
    ).json<DeadPage>();
    return page.letters.filter(({ error }) => error.code === 'REPLAY_DIFFERS').length === dead.length;
  });
  const [first] = dead;
  if (first !== undefined) {
    const { plan } = cases[commands.indexOf(first)] as (typeof cases)[number];
    writeFileSync(plan, JSON.stringify({ steps: [], atOnce: false, end: 'ok' }));
    const redriven = await tallystick(['dead', 'redrive', String(first)], { dataDir: broker.dataDir });
    assert.equal(redriven.code, 0, redriven.stderr);
  }
  await waitFor('nothing to be wrong with the log', async () => {
    const { verification } = success(await verifyLog({ nc: operator, graceMs: 0 })());
    if (verification.ok) return true;
    throw new Error(JSON.stringify(verification.findings.slice(0, 5)));
  });
  await Promise.all([nc.close(), operator.close()]);
});

/** Payloads that are the same, and one that is another. */
const payloads = fc.oneof(
  fc.constantFrom(
    { first: '{"amount":1,"n":[]}', same: '{ "n":[], "amount":1.0 }', other: '{"amount":1,"n":{}}' },
    { first: '{"n":9007199254740993}', same: '{"n":90071992547409930e-1}', other: '{"n":9007199254740992}' },
    { first: '', same: '{}', other: 'null' },
    { first: '{"a":1,"a":2}', same: '{"a":2}', other: '{"a":1}' },
    { first: 'no JSON', same: 'no JSON', other: 'no  JSON' },
    { first: '"\\u0061"', same: '"a"', other: '"A"' },
  ),
  jsonText().map((text) => ({ first: text, same: ` ${text}\n`, other: `[${text}]` })),
);

test('I11 calls of a module in another language are compared too, on their way and recorded, whatever its numbers are', async () => {
  await using dir = tempDir();
  const raw = join(PROJECT_ROOT, 'test', 'fixtures', 'modules', 'raw');
  const written = JSON.parse(readFileSync(join(raw, 'manifest.json'), 'utf8')) as object;
  const module = await writeManifest(join(dir.path, 'raw'), {
    ...written,
    dependencies: { accounts: ['deposit', 'withdraw'] },
    start: { command: [process.execPath, join(raw, 'main.js')] },
  });
  await using broker = await startBroker({
    shipped: ['accounts'],
    args: ['--durability', 'os', '--module', module],
  });
  const nc = await connect({ servers: broker.url });
  const codesOf = async (calls: readonly object[]): Promise<readonly string[]> => {
    const reply = await nc.request('call.raw.ask.a', JSON.stringify({ calls }), { timeout: 30_000 });
    const { data } = reply.json<{ data: readonly Result[] }>();
    return data.map((each) => (each.status === 'ok' ? 'ok' : each.error.code));
  };
  for (const { first, same, other } of fc.sample(payloads, byForm({ short: 10, deep: 40, full: 200 }))) {
    const subject = 'call.accounts.deposit.x';
    const codes = await codesOf([
      { subject, call: 1, payload: first },
      { subject, call: 1, payload: same },
      { subject, call: 1, payload: other },
      { subject: 'call.accounts.withdraw.x', call: 1, payload: first },
      { subject: 'call.accounts.deposit.y', call: 1, payload: first },
      { subject: `call.accounts.deposit.${'x'.repeat(200)}`, call: 1, payload: first },
      { subject, call: 2, payload: other },
    ]);
    assert.equal(codes[0], codes[1], `${first} ${same}`);
    assert.notEqual(codes[0], 'REPLAY_DIFFERS');
    assert.deepEqual(codes.slice(2, 6), Array(4).fill('REPLAY_DIFFERS'), `${first} ${other}`);
    assert.notEqual(codes[6], 'REPLAY_DIFFERS');
  }
  // A guest is no module: what it sends is no call of a handler.
  const forged = makeHeaders();
  forged.set(HEADER.cause, '1');
  forged.set(HEADER.call, '1');
  const refused = await nc.request('call.accounts.balance.ann', '{}', { headers: forged, timeout: 10_000 });
  assert.equal((refused.json<Result>() as { error: { code: string } }).error.code, 'HEADER_INVALID');
  await nc.close();
});
