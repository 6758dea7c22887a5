import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { HEADER } from '../../schemas/headers.js';
import { type PromiseVerb, promiseSubject } from '../../schemas/promise.js';
import type { Result } from '../../schemas/result.js';
import { FIRED_FILE } from '../../system/processes/fail-point.js';
import type { Operation } from '../fixtures/modules/stepper/index.js';
import { byForm } from '../support/form.js';
import { waitFor } from '../support/wait-for.js';
import { arm, isClean, json, logOf, resultsOf, sendPlan, startStepWorld, stepsOf } from './step-world.js';

/** What one of two rivals does with a promise, which only the first of them can. */
interface Rival {
  readonly verb: PromiseVerb;
  readonly value: string;
}

const rivals: fc.Arbitrary<readonly [Rival, Rival]> = fc.tuple(
  fc.record({ verb: fc.constantFrom('resolve', 'reject'), value: fc.constant('first') }),
  fc.record({ verb: fc.constantFrom('resolve', 'reject'), value: fc.constant('second') }),
);

/** Each is made a promise, hands out its id, and waits for it; the last one nobody ends. */
const OPERATIONS: readonly Operation[] = [
  { promise: 'told' },
  { promise: 'told', timeoutMs: 3_600_000 },
  { promise: 'told', timeoutMs: 50 },
];

test('I11 each promise is ended once, by one of its holders, whenever module and broker die', async (t) => {
  const seed = Date.now();
  t.diagnostic(`seed ${seed}`);
  const rounds = byForm({ short: 1, deep: 6, full: 40 });
  const points = fc.sample(fc.constantFrom('wake.storing', 'wake.stored'), { numRuns: rounds, seed });
  await using world = await startStepWorld([
    'wait.parked@2:kill',
    'wait.woken@1:cut step.appended@5:kill',
    'wait.woken@2:kill',
  ]);
  const { write, failDir } = world;
  /** What the holders learned: `ok` says that this one was the first. */
  const replies = new Map<string, { readonly rival: Rival; readonly isFirst: boolean }[]>();
  const ends = (id: string, rival: Rival): Promise<true> =>
    waitFor(
      `an answer about promise ${id}`,
      async () => {
        const { verb, value } = rival;
        const payload = verb === 'resolve' ? JSON.stringify(value) : value;
        const reply = await world.nc.request(promiseSubject(verb, id), payload, { timeout: 5_000 });
        const said = reply.json<{ ok?: boolean; error?: { code: string } }>();
        if (said.ok !== true && said.error?.code !== 'PROMISE_UNKNOWN') throw new Error(reply.string());
        replies.set(id, [...(replies.get(id) ?? []), { rival, isFirst: said.ok === true }]);
        return true;
      },
      60_000,
    );
  /** The id that a handler has handed out for its wait of this number. */
  const idOf = (command: number, wait: number): Promise<string> =>
    waitFor('the id of a promise', async () => {
      const steps = stepsOf(await logOf(world.operator), command);
      const told = steps.filter((step) => json<{ name: string }>(step).name === 'told');
      return told[wait] && json<{ value: string }>(told[wait]).value;
    });
  const commands: number[] = [];
  const ids = new Map<number, string[]>();
  for (const [round, point] of points.entries()) {
    const plans = fc.sample(fc.tuple(rivals, rivals), { numRuns: 5, seed: seed + round });
    const path = write(round, { operations: OPERATIONS, atOnce: false, end: 'ok' });
    const some = await Promise.all(plans.map((_, i) => sendPlan(world, commands.length + i, path)));
    commands.push(...some);
    const firsts = await Promise.all(some.map((command) => idOf(command, 0)));
    for (const [i, id] of firsts.entries()) ids.set(some[i] as number, [id]);
    await arm(world, `${point}@1:kill`);
    const { exited } = world.broker;
    const ending = firsts.flatMap((id, i) => plans[i]?.[0].map((rival) => ends(id, rival)) ?? []);
    await exited;
    await world.killAndStart();
    await Promise.all(ending);
    await Promise.all(
      some.map(async (command, i) => {
        const id = await idOf(command, 1);
        ids.get(command)?.push(id);
        await Promise.all((plans[i]?.[1] ?? []).map((rival) => ends(id, rival)));
      }),
    );
    await resultsOf(world, commands.length);
  }
  const records = await resultsOf(world, commands.length);
  for (const command of commands) {
    const wakes = records.filter(
      (record) => record.subject.startsWith('wake.stepper.') && record.header(HEADER.cause) === `${command}`,
    );
    const result = records.find(
      (record) => record.subject.startsWith('res.stepper.') && record.header(HEADER.cause) === `${command}`,
    );
    const outcome = result && json<Result>(result);
    assert.ok(outcome !== undefined);
    // A process that dies while the code of a handler runs may be ended by that handler.
    if (outcome.status !== 'ok') {
      assert.equal(outcome.error.code, 'HANDLER_CRASHED', JSON.stringify(outcome));
      continue;
    }
    assert.equal(wakes.length, OPERATIONS.length);
    const { said } = outcome.data as { readonly said: readonly unknown[] };
    for (const [n, id] of (ids.get(command) ?? []).entries()) {
      const told = replies.get(id) ?? [];
      const first = told.filter(({ isFirst }) => isFirst).map(({ rival }) => rival);
      // A broker that dies has maybe stored the wake, and says nothing: then no holder is told to be the first.
      assert.ok(told.length === 2 && first.length <= 1, JSON.stringify(told));
      const wanted = (first.length === 1 ? first : told.map(({ rival }) => rival)).map(({ verb, value }) =>
        verb === 'resolve' ? value : 'PROMISE_REJECTED',
      );
      assert.ok(wanted.includes(said[n] as string), JSON.stringify({ id, told, said }));
    }
    assert.equal(said[2], 'PROMISE_TIMEOUT');
  }
  const fired = readFileSync(join(failDir, FIRED_FILE), 'utf8');
  assert.ok(points.every((point) => fired.includes(point)) && fired.includes('wait.parked'), fired);
  await isClean(world);
});
