import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage } from '../../schemas/record.js';
import { OPS } from '../../schemas/operate.js';
import type { Result } from '../../schemas/result.js';
import type { WaitStep } from '../../schemas/step.js';
import { FAIL_POINTS, FIRED_FILE } from '../../system/processes/fail-point.js';
import type { Operation } from '../fixtures/modules/stepper/index.js';
import { byForm, inDeep } from '../support/form.js';
import { moduleStatus } from '../support/modules.js';
import { arm, isClean, json, logOf, resultsOf, sendPlan, startStepWorld, stepsOf } from './step-world.js';
import { waitFor } from '../support/wait-for.js';
import { PATIENT } from '../support/patient.js';

const testInDeep = inDeep(test);

const wakesOf = (records: readonly StoredMessage[], cause: number): readonly StoredMessage[] =>
  records.filter(
    (record) => /^wake\.stepper\./.test(record.subject) && record.header(HEADER.cause) === `${cause}`,
  );

/** Each wait of a command has one wake, behind it, and not before its time. */
const assertWokenOnce = (records: readonly StoredMessage[], cause: number): void => {
  const waits = stepsOf(records, cause).filter(
    (step) => step.header(HEADER.until) !== undefined || step.header(HEADER.signal) !== undefined,
  );
  const wakes = wakesOf(records, cause);
  assert.equal(wakes.length, waits.length);
  for (const wait of waits) {
    const own = wakes.filter((wake) => wake.header(HEADER.call) === wait.header(HEADER.call));
    assert.equal(own.length, 1);
    const [wake] = own as [StoredMessage];
    assert.ok(wake.seq > wait.seq);
    if (wake.header(HEADER.signal) !== undefined) continue;
    assert.ok(
      wake.timeMs >= Date.parse(json<WaitStep>(wait).until ?? ''),
      `${wake.time} ${json<WaitStep>(wait).until}`,
    );
  }
};

const HOST_POINTS = [
  'wait.parked',
  'wait.woken',
  'step.appended',
  'step.stored',
  'host.acknowledged',
] as const;

test('I11 each handler goes on exactly once behind each sleep, whenever its process dies', async (t) => {
  const times = byForm({ short: 1, deep: 4, full: 30 });
  const seed = Date.now();
  t.diagnostic(`seed ${seed}`);
  const lives = fc.sample(
    fc.tuple(
      fc.constantFrom(...HOST_POINTS),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom('kill', 'kill', 'cut'),
    ),
    { numRuns: times * 2, seed },
  );
  const failures = [
    'wait.parked@3:kill wait.woken@1:cut',
    'wait.woken@1:kill',
    ...lives.map(([point, passing, action]) => `${point}@${passing}:${action}`),
  ];
  await using world = await startStepWorld(failures);
  const handlers = 10 * times;
  const operations: readonly Operation[] = [
    { step: 'charge', attempts: 5 },
    { sleep: 40 },
    { deposit: 1, agent: 'till' },
    { sleepUntil: new Date(Date.now() + 300).toISOString() },
    { sleep: 0 },
    { step: 'mail', attempts: 5 },
  ];
  const { write, server, failDir } = world;
  const commands = await Promise.all(
    Array.from({ length: handlers }, (_, i) =>
      sendPlan(world, i, write(i, { operations, atOnce: i % 4 === 0, end: 'ok' })),
    ),
  );
  const records = await resultsOf(world, handlers);
  for (const [i, seq] of commands.entries()) {
    const result = records.find(({ subject }) => subject === `res.stepper.follow.a${i}`) as StoredMessage;
    const outcome = json<Result>(result);
    if (outcome.status !== 'ok') {
      // A process that dies while the code of a handler runs may be ended by that handler.
      assert.equal(outcome.error.code, 'HANDLER_CRASHED', JSON.stringify(outcome));
      continue;
    }
    assert.equal(stepsOf(records, seq).length, 5);
    assertWokenOnce(records, seq);
    const { said } = outcome.data as { said: readonly unknown[] };
    assert.deepEqual([said[1], said[3], said[4]], [null, null, null]);
  }
  const values = records
    .filter((record) => record.subject.startsWith('step.') && record.header(HEADER.until) === undefined)
    .map((record) => json<{ value: { id: number } }>(record).value.id);
  assert.equal(new Set(values).size, values.length);
  assert.equal(server.unkeyed, 0);
  const fired = readFileSync(join(failDir, FIRED_FILE), 'utf8');
  for (const point of ['wait.parked', 'wait.woken']) assert.ok(fired.includes(point), `${point} did not act`);
  await isClean(world);
});

test('I11 I5 a handler that sleeps keeps its agent busy and no other, and outlives all processes', async () => {
  await using world = await startStepWorld();
  const { write, operator, broker } = world;
  const path = write(0, { operations: [{ sleep: 3_600_000 }], atOnce: false, end: 'ok' });
  const sleeper = await sendPlan(world, 0, path);
  const status = await waitFor('the sleeper to be shown', async () => {
    const shown = await moduleStatus(broker, 'stepper', ({ state }) => state === 'loaded');
    return shown.asleep === 1 && shown;
  });
  const due = Date.parse(status.nextWake ?? '') - Date.now();
  assert.ok(due > 3_500_000 && due <= 3_600_000, `${status.nextWake}`);
  // The agent waits with it: also more commands than a line keeps in memory.
  const behind = write(1, { operations: [], atOnce: false, end: 'ok' });
  const later = byForm({ short: 100, deep: 500, full: 2_000 });
  for (let i = 0; i < later; i++) await sendPlan(world, 0, behind);
  const other = await sendPlan(world, 1, behind);
  const isAnswered = async (seq: number): Promise<boolean> =>
    (await logOf(operator)).some(
      (record) => record.subject.startsWith('res.stepper.') && record.header(HEADER.cause) === `${seq}`,
    );
  await waitFor('another agent to be answered', () => isAnswered(other));
  assert.equal(await isAnswered(sleeper), false);
  await isClean(world);
  process.kill(status.pid as number, 'SIGKILL');
  await waitFor('the next process', async () => {
    const next = await moduleStatus(broker, 'stepper', ({ state }) => state === 'loaded');
    return next.pid !== status.pid && next.asleep === 1;
  });
  const records = await logOf(operator);
  assert.equal(records.filter(({ subject }) => subject === 'res.stepper.follow.a0').length, 0);
  assert.equal(stepsOf(records, sleeper).length, 1);
});

testInDeep(
  'a handler that has begun outlives the deadline of its command and its process, and one that has not expires',
  async () => {
    await using world = await startStepWorld();
    const { write, broker } = world;
    const deadline = new Date(Date.now() + 2_000);
    const until = new Date(deadline.getTime() + 2_000).toISOString();
    const sleeps = write(0, {
      operations: [{ sleepUntil: until }, { step: 'mail' }],
      atOnce: false,
      end: 'ok',
    });
    const ends = write(1, { operations: [], atOnce: false, end: 'ok' });
    const sleeper = await sendPlan(world, 0, sleeps, deadline);
    const { pid } = await waitFor('it to sleep', async () => {
      const shown = await moduleStatus(broker, 'stepper', ({ state }) => state === 'loaded');
      return shown.asleep === 1 && shown;
    });
    const behind = await sendPlan(world, 0, ends, deadline);
    await waitFor('the deadline to pass', () => Date.now() > deadline.getTime());
    process.kill(pid as number, 'SIGKILL');
    const records = await resultsOf(world, 2);
    const statusOf = (seq: number): string | undefined => {
      const result = records.find(
        (record) => record.subject.startsWith('res.stepper.') && record.header(HEADER.cause) === `${seq}`,
      );
      return result && json<Result>(result).status;
    };
    assert.deepEqual([statusOf(sleeper), statusOf(behind)], ['ok', 'expired']);
    assertWokenOnce(records, sleeper);
    await isClean(world);
  },
);

test('a sleep next to a step is a time limit of the step, and is over in time', async () => {
  await using world = await startStepWorld();
  const path = world.write(0, { operations: [{ limit: 200 }, { sleep: 1 }], atOnce: false, end: 'ok' });
  const seq = await sendPlan(world, 0, path);
  const records = await resultsOf(world, 1);
  const result = records.find(({ subject }) => subject === 'res.stepper.follow.a0') as StoredMessage;
  assert.deepEqual(json<Result>(result), { status: 'ok', data: { said: [null, null] } });
  assertWokenOnce(records, seq);
  await isClean(world);
});

testInDeep('a sleep that was due while nothing ran ends at once when the broker is back, once', async () => {
  await using world = await startStepWorld();
  const { write } = world;
  const handlers = 20;
  const until = new Date(Date.now() + 6_000).toISOString();
  const path = write(0, { operations: [{ sleepUntil: until }, { step: 'mail' }], atOnce: false, end: 'ok' });
  const commands = await Promise.all(Array.from({ length: handlers }, (_, i) => sendPlan(world, i, path)));
  await waitFor('all to sleep', async () => {
    const records = await logOf(world.operator);
    return records.filter(({ subject }) => subject.startsWith('step.')).length === handlers;
  });
  await world.killAndStart(() => waitFor('the time to pass', () => Date.now() > Date.parse(until), 20_000));
  const records = await resultsOf(world, handlers);
  for (const seq of commands) assertWokenOnce(records, seq);
  await isClean(world);
});

testInDeep('I11 each wait has one wake, whenever the broker and the server die', async (t) => {
  const seed = Date.now();
  t.diagnostic(`seed ${seed}`);
  const rounds = byForm({ short: 1, deep: 5, full: 60 });
  const points = FAIL_POINTS.filter((point) => point.startsWith('wake.'));
  const plans = fc.sample(
    fc.tuple(
      fc.constantFrom(...points),
      fc.integer({ min: 1, max: 2 }),
      fc.constantFrom('kill', 'cut', 'server'),
    ),
    { numRuns: rounds, seed },
  );
  await using world = await startStepWorld();
  const { write } = world;
  const commands: number[] = [];
  let handlers = 0;
  // Each point kills in any case.
  for (const [point, passing, action] of [...points.map((each) => [each, 1, 'kill'] as const), ...plans]) {
    // Before the handlers sleep: each wakes twice, so the point is passed twice in any case.
    if (action !== 'server') await arm(world, `${point}@${passing}:${action}`);
    const { exited } = world.broker;
    const until = new Date(Date.now() + 1_500).toISOString();
    const operations: readonly Operation[] = [{ sleepUntil: until }, { sleep: 30 }, { step: 'mail' }];
    const path = write(handlers, { operations, atOnce: false, end: 'ok' });
    const some = await Promise.all(Array.from({ length: 8 }, (_, i) => sendPlan(world, handlers + i, path)));
    commands.push(...some);
    handlers += some.length;
    if (action === 'server') {
      const { server } = (await world.operator.request(OPS.status, '{}', PATIENT)).json<{
        server: { pid: number };
      }>();
      await waitFor('the time to come', () => Date.now() > Date.parse(until) - 5);
      process.kill(server.pid, 'SIGKILL');
    } else if (action === 'kill') {
      await exited;
      await world.killAndStart();
    }
    await resultsOf(world, handlers);
  }
  const records = await resultsOf(world, handlers);
  for (const seq of commands) assertWokenOnce(records, seq);
  await isClean(world);
});

testInDeep(
  'I11 each signal ends one wait, in order, whenever module, broker and server die; what is not awaited is kept',
  async (t) => {
    const seed = Date.now();
    t.diagnostic(`seed ${seed}`);
    const rounds = byForm({ short: 1, deep: 4, full: 40 });
    const points = FAIL_POINTS.filter((point) => /^(signal|wake)\./.test(point));
    const random = fc.sample(fc.constantFrom(...points), { numRuns: rounds, seed });
    await using world = await startStepWorld(['wait.parked@2:kill wait.woken@1:cut', 'wait.woken@2:kill']);
    const { write } = world;
    const operations: readonly Operation[] = [
      { signal: 'paid' },
      { step: 'mail' },
      { signal: 'paid', timeoutMs: 3_600_000 },
      { signal: 'never', timeoutMs: 50 },
    ];
    const commands: number[] = [];
    const stored = new Map<number, number[]>();
    /** Asked again while nothing is known: then a signal may be stored twice, as its sender knows. */
    const signal = (i: number, n: number): Promise<void> =>
      waitFor(
        `signal ${n} of a${i} to be stored`,
        async () => {
          const subject = `signal.stepper.paid.a${i}`;
          const reply = await world.nc.request(subject, JSON.stringify({ n }), { timeout: 5_000 });
          const { seq } = reply.json<{ seq?: number }>();
          if (seq === undefined) throw new Error(reply.string());
          stored.set(i, [...(stored.get(i) ?? []), n]);
          return true;
        },
        40_000,
      ).then(() => undefined);
    let handlers = 0;
    for (const point of [...points, ...random]) {
      const path = write(handlers, { operations, atOnce: false, end: 'ok' });
      const some = [handlers, handlers + 1, handlers + 2];
      // The first gets a signal before it waits.
      await signal(handlers, 1);
      commands.push(...(await Promise.all(some.map((i) => sendPlan(world, i, path)))));
      handlers += some.length;
      const exited = world.broker.exited;
      await arm(world, `${point}@1:kill`);
      const sending = Promise.all(some.map((i) => signal(i, 2)));
      await exited;
      await world.killAndStart();
      await sending;
      await Promise.all(some.slice(1).map((i) => signal(i, 3)));
      await resultsOf(world, handlers);
    }
    const records = await resultsOf(world, handlers);
    const signals = records.filter(({ subject }) => subject.startsWith('signal.stepper.paid.'));
    const taken = new Set<string>();
    for (const [i, seq] of commands.entries()) {
      assertWokenOnce(records, seq);
      const result = records.find(({ subject }) => subject === `res.stepper.follow.a${i}`) as StoredMessage;
      const outcome = json<Result>(result);
      if (outcome.status !== 'ok') {
        assert.equal(outcome.error.code, 'HANDLER_CRASHED', JSON.stringify(outcome));
        continue;
      }
      const own = signals.filter(({ subject }) => subject.endsWith(`.a${i}`));
      // The first two of the log, in their order, and each was taken by one wake.
      const { said } = outcome.data as { said: readonly unknown[] };
      const expected = own.slice(0, 2).map((each) => json<{ data: unknown }>(each).data);
      assert.deepEqual([said[0], said[2], said[3]], [...expected, 'SIGNAL_TIMEOUT']);
      for (const wake of wakesOf(records, seq)) {
        const of = wake.header(HEADER.signal);
        if (of === undefined) continue;
        assert.ok(!taken.has(of), `signal ${of} was taken twice`);
        taken.add(of);
      }
    }
    for (const [i, all] of stored.entries())
      for (const n of all)
        assert.ok(
          signals.some(
            (each) => each.subject.endsWith(`.a${i}`) && json<{ data: { n: number } }>(each).data.n === n,
          ),
          `signal ${n} of a${i} is lost`,
        );
    await isClean(world);
  },
);
