import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Result } from '../../schemas/result.js';
import type { Step } from '../../schemas/step.js';
import { FAIL_POINTS, FIRED_FILE } from '../../system/processes/fail-point.js';
import type { Operation } from '../fixtures/modules/stepper/index.js';
import { byForm } from '../support/form.js';
import { moduleStatus } from '../support/modules.js';
import { isClean, json, logOf, resultsOf, sendPlan, startStepWorld, stepsOf } from './step-world.js';
import { waitFor } from '../support/wait-for.js';

const STEP_POINTS = FAIL_POINTS.filter((point) => point.startsWith('step.'));

test('I11 each effect outside happens once for its key, and each step has one value, whenever the process dies', async (t) => {
  const times = byForm({ short: 1, deep: 8, full: 40 });
  const seed = Date.now();
  t.diagnostic(`seed ${seed}`);
  const lives = fc.sample(
    fc.tuple(
      fc.constantFrom(...STEP_POINTS, 'host.appended', 'effect.calling', 'effect.answered'),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom('kill', 'kill', 'cut'),
    ),
    { numRuns: times * 2, seed },
  );
  // Each point of a step kills in any case.
  const failures = [
    ...STEP_POINTS.map((point) => `${point}@2:cut ${point}@5:kill`),
    ...lives.map(([point, passing, action]) => `${point}@${passing}:${action}`),
  ];
  await using world = await startStepWorld(failures);
  const { server, write, operator, failDir } = world;
  const handlers = 12 * times;
  const operations: readonly Operation[] = [
    { step: 'charge', attempts: 5 },
    { deposit: 1, agent: 'till' },
    { step: 'mail', attempts: 5 },
    { step: 'mail', attempts: 5 },
  ];
  const commands = await Promise.all(
    Array.from({ length: handlers }, (_, i) =>
      sendPlan(world, i, write(i, { operations, atOnce: i % 3 === 0, end: 'ok' })),
    ),
  );
  const records = await resultsOf(world, handlers);
  const keys = new Set<string>();
  for (const [i, seq] of commands.entries()) {
    const result = records.find(({ subject }) => subject === `res.stepper.follow.a${i}`) as StoredMessage;
    const outcome = json<Result>(result);
    const steps = stepsOf(records, seq);
    if (outcome.status !== 'ok') {
      // A process that dies while the code of a handler runs may be ended by that handler.
      assert.equal(outcome.error.code, 'HANDLER_CRASHED', JSON.stringify(outcome));
      continue;
    }
    const { said } = outcome.data as { said: readonly { id: number; name: string }[] };
    const byNumber = new Map(steps.map((step) => [Number(step.header(HEADER.call)), json<Step>(step)]));
    assert.deepEqual([...byNumber.keys()].sort(), [1, 3, 4]);
    assert.equal(steps.length, 3);
    for (const [n, step] of byNumber) {
      assert.ok(step.status === 'ok');
      assert.deepEqual(said[n - 1], step.value);
    }
    for (const { seq: at } of steps) assert.ok(at < result.seq && at > seq);
  }
  for (const [key, { id }] of server.effects) {
    assert.ok(!keys.has(key) && id > 0);
    keys.add(key);
  }
  // One effect for each key, and a key for each step: what was not recorded was asked for again with the same key.
  const values = records
    .filter(({ subject }) => subject.startsWith('step.'))
    .map((record) => json<Step & { value: { id: number } }>(record).value.id);
  assert.equal(new Set(values).size, values.length);
  assert.ok(server.effects.size >= values.length && server.effects.size <= 3 * handlers);
  assert.equal(server.unkeyed, 0);
  const fired = readFileSync(join(failDir, FIRED_FILE), 'utf8').split('\n');
  for (const point of STEP_POINTS)
    assert.ok(
      fired.some((line) => line.includes(point)),
      `${point} did not act`,
    );
  const asked = [...server.effects.values()].reduce((sum, { requests }) => sum + requests, 0);
  t.diagnostic(`${fired.length - 1} failures; ${server.effects.size} effects by ${asked} requests`);
  await isClean(world);
  await operator.flush();
});

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ step: fc.constantFrom('a', 'b', 'charge: ü "x"') }),
  fc.record({ deposit: fc.integer({ min: 1, max: 3 }), agent: fc.constantFrom('ann', 'bob') }),
  fc.record({ sleep: fc.constantFrom(1, 2) }),
  fc.record({ sleepUntil: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z') }),
);

/** What a handler did before, and what it does now; `isSame`: no recorded operation differs. */
const changes = fc
  .record({
    before: fc.array(operation, { minLength: 1, maxLength: 4 }),
    after: fc.array(operation, { maxLength: 4 }),
    how: fc.constantFrom('same', 'longer', 'other', 'random'),
    atOnce: fc.boolean(),
    end: fc.constantFrom('ok' as const, 'throws' as const),
  })
  .map(({ before, after, how, ...rest }) => {
    const longer = [...before, ...after];
    // Like a handler that asks Math.random for the name of its step.
    const other = [...before.slice(0, -1), { step: `random ${after.length}` }];
    return { before, after: { same: before, longer, other, random: after }[how], ...rest };
  });

test('I11 a handler that asks for another step than the log has is stopped, and the command is a dead letter', async () => {
  await using world = await startStepWorld();
  const { broker, write, operator } = world;
  const cases = fc.sample(changes, byForm({ short: 16, deep: 100, full: 400 }));
  const paths = cases.map(({ before, atOnce }, i) => write(i, { operations: before, atOnce, end: 'waits' }));
  const commands = await Promise.all(paths.map((path, i) => sendPlan(world, i, path)));
  const recorded = cases.reduce((sum, { before }) => sum + before.length, 0);
  await waitFor('all operations to be recorded', async () => {
    const records = await logOf(operator);
    const made = records.filter(
      (record) => /^(cmd|step)/.test(record.subject) && record.header(HEADER.call) !== undefined,
    );
    const answers = records.filter(({ subject }) => subject.startsWith('res.accounts.')).length;
    const calls = made.filter(({ subject }) => subject.startsWith('cmd.')).length;
    return made.length === recorded && answers === calls;
  });
  for (const [i, { after, atOnce, end }] of cases.entries()) write(i, { operations: after, atOnce, end });
  const { pid } = await moduleStatus(broker, 'stepper', ({ state }) => state === 'loaded');
  process.kill(pid as number, 'SIGKILL');
  const records = await resultsOf(world, cases.length);
  for (const [i, { before, after, end }] of cases.entries()) {
    const seq = commands[i] as number;
    const result = records.find(({ subject }) => subject === `res.stepper.follow.a${i}`) as StoredMessage;
    const said = json<Result>(result);
    const isOther = before.some(
      (each, n) => n < after.length && JSON.stringify(each) !== JSON.stringify(after[n]),
    );
    const differs = isOther || (after.length < before.length && end === 'ok');
    const expected = differs ? 'REPLAY_DIFFERS' : end === 'ok' ? 'ok' : 'HANDLER_THREW';
    const what = `${JSON.stringify(cases[i])}: ${JSON.stringify(said)}`;
    assert.equal(said.status === 'ok' ? 'ok' : said.error.code, expected, what);
    if (differs) assert.notEqual(result.header(HEADER.dead), undefined);
    // What was recorded is there, once, and the steps have their names.
    const steps = stepsOf(records, seq);
    const numbers = steps.map((step) => Number(step.header(HEADER.call)));
    assert.equal(new Set(numbers).size, numbers.length, what);
    for (const [n, each] of before.entries()) {
      const found = steps.find((step) => step.header(HEADER.call) === String(n + 1));
      assert.equal(
        found === undefined ? undefined : json<Step>(found).name,
        'step' in each ? each.step : 'deposit' in each ? undefined : 'sleep',
      );
    }
  }
  await isClean(world);
});
