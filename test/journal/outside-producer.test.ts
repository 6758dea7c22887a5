import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';
import { connect, headers, type NatsConnection } from 'nats';
import type { EpochRecord } from '../../journal/epochs/epoch.js';
import { verifyLog } from '../../replay/index.js';
import { createProducer } from '../../modules/client/index.js';
import { send } from '../../modules/sdk/index.js';
import { counting } from '../fixtures/counting.js';
import { jsonOrText } from '../../schemas/json.js';
import type { TestBroker } from '../support/broker.js';
import { failure, success } from '../support/either.js';
import { byForm } from '../support/form.js';
import { connectOperator } from '../support/log-checks.js';
import { readAll } from '../support/log.js';
import { processesMentioning } from '../support/processes.js';
import { gapIn, readCounted, startCounting, startProducing } from '../support/producing.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { PATIENT } from '../support/patient.js';

/** Sends around the kill of a server. */
const SENDS = byForm({ short: 800, deep: 5_000 });
/** Sends of each of two producers next to each other. */
const BOTH = byForm({ short: 300, deep: 1_000 });

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

const guest = (broker: TestBroker): Promise<NatsConnection> =>
  connect({ servers: broker.url, maxReconnectAttempts: -1, reconnectTimeWait: 50, reconnectJitter: 0 });

const of = async (broker: TestBroker, producer: string) =>
  (await readCounted(broker.dataDir)).filter((record) => record.producer === producer);

for (const durability of byForm({ short: ['fsync'] as const, deep: ['fsync', 'os'] as const }))
  describe(`a producer in a program of a user's, ${durability}`, () => {
    let broker: TestBroker;
    let nc: NatsConnection;
    let home: TempDir;

    before(async () => {
      home = tempDir();
      broker = await startCounting(home.path, durability);
      nc = await guest(broker);
    });

    after(async () => {
      await nc?.close();
      await broker?.[Symbol.asyncDispose]();
      await home?.[Symbol.asyncDispose]();
    });

    test('I1 I2 two names beside each other: each is numbered without a gap, and stored once, in its order', async () => {
      await using left = success(await createProducer(nc, { name: 'left' })());
      await using right = success(await createProducer(nc, { name: 'right' })());
      const sends = [left, right].map((producer) =>
        Promise.all(range(BOTH).map((i) => producer.send(counting, 'count', 'a', { i })())),
      );
      const receipts = (await Promise.all(sends)).map((list) => list.map(success));
      for (const [index, name] of ['left', 'right'].entries()) {
        const records = await of(broker, `guest~${name}`);
        assert.deepEqual(
          records.map(({ i }) => i),
          range(BOTH),
        );
        assert.deepEqual(
          records.map(({ seq, n }) => ({ seq, n })),
          receipts[index],
        );
        assert.equal(gapIn(records), undefined);
      }
    });

    test('the operator has names of its own', async () => {
      const operator = await connectOperator(broker.dataDir);
      await using mine = success(await createProducer(nc, { name: 'shared' })());
      await using theirs = success(await createProducer(operator, { name: 'shared' })());
      success(await mine.send(counting, 'count', 'a', { i: 1 })());
      success(await theirs.send(counting, 'count', 'a', { i: 2 })());
      success(await mine.send(counting, 'count', 'a', { i: 3 })());
      assert.deepEqual(
        (await of(broker, 'guest~shared')).map(({ i }) => i),
        [1, 3],
      );
      assert.deepEqual(
        (await of(broker, 'operator~shared')).map(({ i }) => i),
        [2],
      );
      await theirs.close();
      await operator.close();
    });

    test('I2 a process that is stopped while another takes over stores nothing when it goes on', async () => {
      const paused = startProducing(broker.url, 'paused', '-', 0, 20_000, 500);
      await waitFor('it to send', () => paused.numbers('stored').length > 1_000);
      paused.child.kill('SIGSTOP');
      await using replacement = success(await createProducer(nc, { name: 'paused' })());
      success(await replacement.send(counting, 'count', 'a', { i: -1 })());
      paused.child.kill('SIGCONT');
      await waitFor('it to be told', () => paused.lines.includes('replaced EPOCH_LOST'));
      // A process that stood still for long finds its connection lost: then nobody can say what became of these.
      const isRefusal = (line: string): boolean => /^refused \d+ (?:EPOCH_LOST|LOG_UNCERTAIN)$/.test(line);
      await waitFor('what it had on its way to be refused', () => paused.lines.some(isRefusal));
      success(await replacement.send(counting, 'count', 'a', { i: -2 })());
      paused.child.kill('SIGKILL');
      await paused.exited;
      const records = await of(broker, 'guest~paused');
      const at = records.findIndex(({ i }) => i === -1);
      assert.deepEqual(
        records.slice(at).map(({ i }) => i),
        [-1, -2],
      );
      assert.equal(gapIn(records), undefined);
      assert.deepEqual(
        records.slice(0, at).map(({ i }) => i),
        range(at),
      );
      // It was told of each: what has a receipt is there, what has a no is not.
      const stored = new Set(records.map(({ i }) => i));
      assert.ok(paused.numbers('stored').every((i) => stored.has(i)));
      const refused = paused.lines
        .filter((line) => line.startsWith('refused '))
        .map((line) => line.split(' '));
      assert.ok(refused.length > 0);
      // Behind the takeover the producer is closed.
      const codes = ['EPOCH_LOST', 'LOG_UNAVAILABLE', 'LOG_UNCERTAIN'];
      for (const [, i, code = ''] of refused) {
        assert.ok(codes.includes(code), code);
        if (code !== 'LOG_UNCERTAIN') assert.ok(!stored.has(Number(i)), `${i} ${code}`);
      }
    });

    test('I1 I2 a server that is killed amid the sends: every receipt comes, each is stored once, in order', async () => {
      await using producer = success(await createProducer(nc, { name: 'survivor', patienceMs: 60_000 })());
      const server = processesMentioning(broker.dataDir).find(({ command }) =>
        command.includes('nats-server'),
      );
      const one = async (i: number) => success(await producer.send(counting, 'count', 'a', { i })());
      const first = range(SENDS / 2).map(one);
      // The server is killed while it has some of these, and the rest is sent to a server that is gone.
      await first[SENDS / 8];
      process.kill(server?.pid as number, 'SIGKILL');
      const rest = range(SENDS / 2).map((i) => one(SENDS / 2 + i));
      const receipts = await Promise.all([...first, ...rest]);
      const records = await of(broker, 'guest~survivor');
      assert.deepEqual(
        records.map(({ i }) => i),
        range(SENDS),
      );
      assert.deepEqual(
        records.map(({ seq }) => seq),
        receipts.map(({ seq }) => seq),
      );
      assert.equal(gapIn(records), undefined);
      assert.ok(new Set(records.map(({ epoch }) => epoch)).size > 1);
    });

    test('what cannot be sent is a typed error before it has a number', async () => {
      await using producer = success(await createProducer(nc, { name: 'strict' })());
      const bad = await producer.send(counting, 'count', 'a b', { i: 1 })();
      assert.equal(failure(bad).code, 'NAME_INVALID');
      const [first, second] = await Promise.all([
        producer.sendAll([send(counting, 'count', 'a', { i: 1 }), send(counting, 'count', '', { i: 2 })])(),
        producer.send(counting, 'count', 'a', { i: 3 })(),
      ]);
      assert.equal(failure(first).fault.code, 'NAME_INVALID');
      assert.ok(E.isRight(failure(first).records[0] as E.Either<unknown, unknown>));
      success(second);
      assert.deepEqual(
        (await of(broker, 'guest~strict')).map(({ i, n }) => [i, n]),
        [
          [1, 1],
          [3, 2],
        ],
      );
    });

    test('I2 a number that is not the next is not stored, and ends its epoch; the next one says how it ended', async () => {
      await using holed = success(await createProducer(nc, { name: 'holed' })());
      success(await holed.send(counting, 'count', 'a', { i: 1 })());
      const operator = await connectOperator(broker.dataDir);
      const epoch = (await readAll(operator, ['epoch.guest~holed'])).at(-1)?.seq ?? 0;
      const publish = async (n: number): Promise<unknown> => {
        const h = headers();
        h.set('Tally-Id', `guest~holed.${epoch}.${n}`);
        const reply = await nc.request('cmd.counting.count.a', '{"i":4}', { headers: h, timeout: 5_000 });
        return reply.json<{ error?: { code: string } }>().error?.code;
      };
      assert.equal(await publish(4), 'EPOCH_CLOSED');
      assert.equal(await publish(1), 'EPOCH_CLOSED');
      await using next = success(await createProducer(nc, { name: 'holed' })());
      success(await next.send(counting, 'count', 'a', { i: 5 })());
      assert.equal(await publish(2), 'EPOCH_LOST');
      const last = (await readAll(operator, ['epoch.guest~holed'])).at(-1);
      const { previous } = jsonOrText(last?.data ?? new Uint8Array()) as EpochRecord;
      assert.deepEqual(previous, { epoch, last: 1, holes: [] });
      assert.deepEqual(
        (await of(broker, 'guest~holed')).map(({ i, n }) => [i, n]),
        [
          [1, 1],
          [5, 1],
        ],
      );
      await operator.close();
    });

    test('a name that is none, and requests that are none, are refused by the program and by the broker', async () => {
      for (const name of ['', 'a.b', 'guest~x', '*', 'x'.repeat(65)]) {
        assert.equal(failure(await createProducer(nc, { name })()).code, 'NAME_INVALID');
      }
      const ask = async (subject: string, body: string): Promise<string> => {
        const reply = await nc.request(subject, body, { timeout: 5_000 });
        return reply.json<{ error: { code: string } }>().error.code;
      };
      const claim = { instance: 'i', takeover: true };
      assert.equal(await ask('producer.open', '{"name":'), 'PAYLOAD_NOT_JSON');
      assert.equal(
        await ask('producer.open', JSON.stringify({ ...claim, name: 'a.b', previous: null })),
        'NAME_INVALID',
      );
      assert.equal(await ask('producer.open', JSON.stringify({ ...claim, name: 'a' })), 'PAYLOAD_INVALID');
      assert.equal(
        await ask('producer.fence', JSON.stringify({ name: 'a', instance: 'i' })),
        'PAYLOAD_INVALID',
      );
      assert.equal(
        await ask('producer.stored', JSON.stringify({ name: 'a', epoch: 0, fromSeq: 1, toSeq: 1 })),
        'PAYLOAD_INVALID',
      );
      assert.equal(await ask('producer.close', '{}'), 'ACTION_UNKNOWN');
      const held = { name: 'held', instance: 'one', takeover: true };
      assert.ok(
        (await nc.request('producer.fence', JSON.stringify(held), PATIENT)).json<{ fence: number }>().fence >
          0,
      );
      const other = { name: 'held', instance: 'two', takeover: false, previous: null };
      assert.equal(await ask('producer.open', JSON.stringify(other)), 'EPOCH_LOST');
    });

    test('I2 whatever a program claims of its past, the log is verified clean', async () => {
      await using real = success(await createProducer(nc, { name: 'liar' })());
      for (const i of range(3)) success(await real.send(counting, 'count', 'a', { i })());
      const operator = await connectOperator(broker.dataDir);
      const number = fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.constant(Number.MAX_SAFE_INTEGER));
      const claim = fc.record({ epoch: number, last: number, holes: fc.array(number, { maxLength: 5 }) });
      const ask = async (previous: object): Promise<void> => {
        const body = JSON.stringify({ name: 'liar', instance: 'x', takeover: true, previous });
        const reply = await nc.request('producer.open', body, { timeout: 10_000 });
        const { error, epoch } = reply.json<{ error?: { code: string }; epoch?: number }>();
        assert.ok(error?.code === 'PAYLOAD_INVALID' || (epoch ?? 0) > 0, reply.string());
      };
      await ask({ epoch: Number.MAX_SAFE_INTEGER, last: 1, holes: [] });
      await fc.assert(fc.asyncProperty(claim, ask), { numRuns: 15 });
      const { verification } = success(await verifyLog({ nc: operator, graceMs: 0 })());
      assert.deepEqual(
        verification.findings.filter(({ producer }) => producer.startsWith('guest~liar')),
        [],
      );
      await operator.close();
    });

    test('I8 more requests than the broker takes from one account are OVERLOADED, and others are served', async () => {
      const body = JSON.stringify({ name: 'flood', epoch: 1, fromSeq: 1, toSeq: 1_000 });
      const asked = range(400).map(() => nc.request('producer.stored', body, { timeout: 60_000 }));
      const operator = await connectOperator(broker.dataDir);
      await using beside = success(await createProducer(operator, { name: 'beside' })());
      success(await beside.send(counting, 'count', 'a', { i: 1 })());
      const replies = (await Promise.all(asked)).map((reply) =>
        reply.json<{ error?: { code: string; retryAfterMs: number } }>(),
      );
      const refused = replies.flatMap(({ error }) => (error === undefined ? [] : [error]));
      assert.ok(refused.length > 0 && refused.length < 400);
      assert.ok(refused.every(({ code, retryAfterMs }) => code === 'OVERLOADED' && retryAfterMs > 0));
      await beside.close();
      await operator.close();
    });
  });
