import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { headers } from 'nats';
import { verifyLog } from '../../replay/index.js';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Restarted } from '../../schemas/restart.js';
import type { Result } from '../../schemas/result.js';
import { FAIL_VARIABLE, FIRED_FILE } from '../../system/processes/fail-point.js';
import type { Operation, StepPlan } from '../fixtures/modules/stepper/index.js';
import { manifest } from '../fixtures/modules/stepper/manifest.js';
import { startChargingServer } from '../support/charging-server.js';
import { success } from '../support/either.js';
import { byForm } from '../support/form.js';
import { asGuest, asOperator, recordsOf, withConnection } from '../support/lasting-connection.js';
import { writeModule } from '../support/module-dir.js';
import { RestartedBroker } from '../support/restarted-broker.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

/** A handler that fails behind its operations, and from where it is restarted. */
interface Case {
  readonly operations: readonly Operation[];
  readonly from: number;
}

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.constant({ step: 'charge', attempts: 5 }),
  fc.record({ deposit: fc.integer({ min: 1, max: 3 }), agent: fc.constantFrom('ann', 'bob') }),
);
const cases: fc.Arbitrary<Case> = fc
  .array(operation, { minLength: 1, maxLength: 4 })
  .chain((operations) =>
    fc.integer({ min: 1, max: operations.length + 1 }).map((from) => ({ operations, from })),
  );

const POINTS = ['restart.storing', 'restart.stored', 'restart.sent'] as const;

type Answer =
  | { readonly status: 'ok'; readonly data: Restarted }
  | Exclude<Result, { readonly status: 'ok' }>;

test('I3 a restart is one, with one command, and keeps what was made, whenever broker or module die', async (t) => {
  const seed = Date.now();
  t.diagnostic(`seed ${seed}`);
  const times = byForm({ short: 1, deep: 5, full: 20 });
  const all = fc.sample(cases, { numRuns: 6 * times, seed });
  await using dir = tempDir();
  await using server = await startChargingServer();
  const [plans, failDir] = [join(dir.path, 'plans'), join(dir.path, 'fail')];
  for (const each of [plans, failDir]) mkdirSync(each);
  // One line for each process of the broker. The third finishes a restart at its start, and must not die there.
  const kills = Array.from({ length: times }, () => [
    'restart.storing@1:kill',
    'restart.stored@1:kill',
    'restart.sent@2:kill',
  ]);
  writeFileSync(join(failDir, 'broker'), kills.flat().join('\n'));
  writeFileSync(join(failDir, 'stepper'), ['step.stored@9:kill', 'effect.answered@4:kill'].join('\n'));
  const module = await writeModule(join(dir.path, 'stepper'), 'stepper', manifest);
  const broker = new RestartedBroker({
    dataDir: join(dir.path, 'data'),
    shipped: ['accounts'],
    args: ['--durability', 'os', '--cage', 'off', '--module', module],
    env: { [FAIL_VARIABLE]: failDir },
  });
  const pathOf = (i: number): string => join(plans, `${i}.json`);
  const write = (i: number, end: StepPlan['end']): void => {
    const { operations } = all[i] as Case;
    writeFileSync(pathOf(i), JSON.stringify({ url: server.url, operations, atOnce: false, end }));
  };
  const answered = (count: number): Promise<readonly StoredMessage[]> =>
    waitFor(
      `${count} results`,
      async () => {
        const found = await recordsOf(broker);
        return found.filter(({ subject }) => subject.startsWith('res.stepper.')).length >= count && found;
      },
      90_000,
    );
  try {
    const commands: number[] = [];
    for (const i of all.keys()) {
      write(i, 'throws');
      const sent = await withConnection(broker, asGuest, async (nc) => {
        const keyed = headers();
        keyed.set(HEADER.key, `case-${i}`);
        const body = JSON.stringify({ plan: pathOf(i) });
        const reply = await nc.request(`cmd.stepper.follow.a${i}`, body, { headers: keyed, timeout: 10_000 });
        return reply.json<{ seq: number }>().seq;
      });
      commands.push(sent);
    }
    await answered(all.length);
    for (const i of all.keys()) write(i, 'ok');
    const ask = (i: number): Promise<Answer> =>
      withConnection(broker, asGuest, async (nc) => {
        const body = JSON.stringify({ from: (all[i] as Case).from });
        const said = (await nc.request(`restart.${commands[i]}`, body, { timeout: 10_000 })).json<Answer>();
        if (said.status !== 'ok' && (said.error.retryable || said.error.code === 'LOG_UNCERTAIN'))
          throw new Error(said.error.code);
        return said;
      });
    // One after the other, so that each kill meets another one, and all a second time.
    for (const i of all.keys()) await ask(i);
    const again = await Promise.all([...all.keys()].map(ask));
    const records = await answered(2 * all.length);
    for (const [i, { operations, from }] of all.entries()) {
      const [command, said] = [commands[i] as number, again[i] as Answer];
      const what = JSON.stringify({ i, operations, from, command, said });
      assert.ok(said.status === 'ok' && said.data.already && said.data.kept === from - 1, what);
      const { restart, newCommand } = said.data;
      const by = (seq: number): readonly StoredMessage[] =>
        records.filter((record) => record.header(HEADER.cause) === String(seq));
      assert.deepEqual(
        by(command).flatMap(({ subject, seq }) => (subject.startsWith('restart.') ? [seq] : [])),
        [restart],
        what,
      );
      const news = records.filter((record) => record.header(HEADER.redrives) === String(command));
      assert.deepEqual(
        news.map(({ seq }) => seq),
        [newCommand],
        what,
      );
      const numbers = by(newCommand).flatMap((record) => record.header(HEADER.call) ?? []);
      const wanted = operations.map((_, n) => n + 1).slice(from - 1);
      assert.deepEqual(numbers.map(Number), wanted, what);
    }
    // A key has its effect once, and each step made it by one key.
    const steps = records.filter(({ subject }) => subject.startsWith('step.'));
    assert.equal(server.effects.size, steps.length);
    await withConnection(broker, asOperator, async (nc) => {
      const { verification } = success(await verifyLog({ nc, graceMs: 0 })());
      assert.deepEqual(verification.findings, []);
    });
    const fired = readFileSync(join(failDir, FIRED_FILE), 'utf8');
    for (const point of POINTS) assert.ok(fired.includes(point), `${point} did not act: ${fired}`);
    t.diagnostic(`${fired.split('\n').length - 1} failures, ${broker.starts} starts of the broker`);
  } finally {
    await broker[Symbol.asyncDispose]();
  }
});
