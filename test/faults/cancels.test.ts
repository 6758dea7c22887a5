import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { headers } from 'nats';
import { verifyLog } from '../../replay/index.js';
import type { Cancelled } from '../../schemas/cancel.js';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Result } from '../../schemas/result.js';
import type { Step } from '../../schemas/step.js';
import { FAIL_VARIABLE, FIRED_FILE } from '../../system/processes/fail-point.js';
import type { Operation, StepPlan } from '../fixtures/modules/stepper/index.js';
import { manifest } from '../fixtures/modules/stepper/manifest.js';
import { startChargingServer } from '../support/charging-server.js';
import { success } from '../support/either.js';
import { brokerStatus } from '../support/broker-status.js';
import { byForm } from '../support/form.js';
import { asGuest, asOperator, recordsOf, withConnection } from '../support/lasting-connection.js';
import { writeModule } from '../support/module-dir.js';
import { RestartedBroker } from '../support/restarted-broker.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { armModule } from './step-world.js';

const json = <T>({ data }: StoredMessage): T => JSON.parse(Buffer.from(data).toString()) as T;

/**
 * A handler, and when it is cancelled: while it makes operation `at`, which is a step then, and waits for a file. The
 * cancel comes before the file, after it, or at the same time.
 */
interface Case {
  readonly operations: readonly Operation[];
  readonly undo: readonly Operation[] | undefined;
  readonly end: 'ok' | 'refusal' | 'saga';
  /** Waits behind the command before it. */
  readonly isBehind: boolean;
  /** Undefined: it is not cancelled. */
  readonly cancel: { readonly at: number; readonly how: 'before' | 'after' | 'same' } | undefined;
}

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ step: fc.constantFrom('charge', 'mail'), attempts: fc.constant(5) }),
  fc.record({ deposit: fc.integer({ min: 1, max: 3 }), agent: fc.constantFrom('ann', 'bob') }),
);

const cases: fc.Arbitrary<Case> = fc.record({
  operations: fc.array(operation, { minLength: 2, maxLength: 6 }),
  undo: fc.option(fc.array(operation, { minLength: 1, maxLength: 3 }), { nil: undefined }),
  end: fc.constantFrom('ok', 'refusal', 'saga', 'saga'),
  isBehind: fc.boolean(),
  cancel: fc.option(
    fc.record({ at: fc.integer({ min: 1, max: 6 }), how: fc.constantFrom('before', 'after', 'same') }),
    { nil: undefined, freq: 4 },
  ),
});

/** The last case. It is cancelled when all others have their results, by a process that lives until a cancel is met. */
const MEETS: Case = {
  operations: Array.from({ length: 6 }, () => ({ step: 'charge', attempts: 5 })),
  undo: undefined,
  end: 'saga',
  isBehind: false,
  cancel: { at: 1, how: 'before' },
};

test('I3 a cancel is met once and at the same place, whenever module, broker or server die', async (t) => {
  const seed = Date.now();
  t.diagnostic(`seed ${seed}`);
  const times = byForm({ short: 1, deep: 6, full: 30 });
  const all = [...fc.sample(cases, { numRuns: 24 * times - 1, seed }), MEETS];
  const kills = fc.sample(
    fc.tuple(
      // At once, or when the compensation is under way.
      fc.constantFrom(
        'cancel.met@1:kill',
        'cancel.met@1+5:kill',
        'cancel.met@1+30:kill',
        'cancel.met@2:kill',
      ),
      fc.constantFrom('step.appended', 'step.stored', 'effect.calling', 'effect.answered', 'host.appended'),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom('kill', 'kill', 'cut'),
    ),
    { numRuns: 8 * times, seed },
  );
  await using dir = tempDir();
  await using server = await startChargingServer();
  const [plans, failDir] = [join(dir.path, 'plans'), join(dir.path, 'fail')];
  for (const each of [plans, failDir]) mkdirSync(each);
  writeFileSync(
    join(failDir, 'stepper'),
    kills.map(([met, point, passing, how]) => `${met} ${point}@${passing}:${how}`).join('\n'),
  );
  writeFileSync(join(failDir, 'broker'), ['cancel.storing@3:kill', 'cancel.stored@3:kill'].join('\n'));
  const module = await writeModule(join(dir.path, 'stepper'), 'stepper', manifest);
  const broker = new RestartedBroker({
    dataDir: join(dir.path, 'data'),
    shipped: ['accounts'],
    args: ['--durability', 'os', '--cage', 'off', '--module', module],
    env: { [FAIL_VARIABLE]: failDir },
  });
  try {
    await judged(all, broker, { plans, failDir, url: server.url });
    const fired = readFileSync(join(failDir, FIRED_FILE), 'utf8');
    for (const point of ['cancel.met', 'cancel.storing', 'cancel.stored'])
      assert.ok(fired.includes(point), `${point} did not act`);
    t.diagnostic(`${fired.split('\n').length - 1} failures, ${broker.starts} starts of the broker`);
  } finally {
    await broker[Symbol.asyncDispose]();
  }
});

type Answer =
  | { readonly status: 'ok'; readonly data: Cancelled }
  | Exclude<Result, { readonly status: 'ok' }>;

const judged = async (
  all: readonly Case[],
  broker: RestartedBroker,
  { plans, failDir, url }: { readonly plans: string; readonly failDir: string; readonly url: string },
): Promise<void> => {
  const agents: string[] = [];
  const commands: number[] = [];
  const gate = (i: number): string => join(plans, `gate-${i}`);
  for (const [i, { operations, undo, end, isBehind, cancel }] of all.entries()) {
    agents.push(isBehind && i > 0 ? (agents[i - 1] as string) : `a${i}`);
    const gated = operations.map((each, n) =>
      n === placeOf(operations, cancel) ? { step: 'held', attempts: 5, until: gate(i) } : each,
    );
    const how =
      end === 'saga'
        ? ({ end: 'ok', saga: true } as const)
        : { end, ...(undo === undefined ? {} : { undo }) };
    const plan: StepPlan = { url, operations: gated, atOnce: false, ...how };
    const path = join(plans, `${i}.json`);
    writeFileSync(path, JSON.stringify(plan));
    // With a key, since the broker may die.
    commands.push(
      await withConnection(broker, asGuest, async (nc) => {
        const keyed = headers();
        keyed.set(HEADER.key, `case-${i}`);
        const reply = await nc.request(`cmd.stepper.follow.${agents[i]}`, JSON.stringify({ plan: path }), {
          headers: keyed,
          timeout: 10_000,
        });
        return reply.json<{ seq: number }>().seq;
      }),
    );
  }
  const answers = new Map<number, Answer>();
  const cancelling: Promise<void>[] = [];
  const begun = new Set<number>();
  const answer = (i: number): Promise<Answer> =>
    withConnection(broker, asGuest, async (nc) => {
      const said = (await nc.request(`cancel.${commands[i]}`, '', { timeout: 10_000 })).json<Answer>();
      if (said.status !== 'ok' && (said.error.retryable || said.error.code === 'LOG_UNCERTAIN'))
        throw new Error(said.error.code);
      return said;
    });
  const cancelNow = async (i: number, how: 'before' | 'after' | 'same'): Promise<void> => {
    const open = (): void => writeFileSync(gate(i), '');
    if (how === 'after') open();
    const asking = answer(i);
    if (how === 'same') open();
    answers.set(i, await asking);
    open();
  };
  const records = await waitFor(
    'every handler to be answered',
    async () => {
      const found = await recordsOf(broker);
      for (const [i, { operations, cancel, isBehind }] of all.entries()) {
        if (cancel === undefined || begun.has(i)) continue;
        const isLast = i === all.length - 1;
        if (isLast && resultsIn(found) < i) continue;
        const made = found.filter(
          (record) =>
            record.header(HEADER.cause) === String(commands[i]) && record.header(HEADER.call) !== undefined,
        );
        // One that waits for another may wait for long: it is cancelled meanwhile.
        if (!isBehind && made.length < placeOf(operations, cancel)) continue;
        if (begun.size === HALF) await killServer(broker);
        if (isLast) await armModule((await broker.now).dataDir, failDir, 'stepper', MET_AND_KILLED);
        begun.add(i);
        cancelling.push(cancelNow(i, cancel.how));
      }
      return resultsIn(found) >= all.length && found;
    },
    90_000,
  );
  await Promise.all(cancelling);
  for (const [i, each] of all.entries()) isAsItMust(each, commands[i] as number, answers.get(i), records);
  await withConnection(broker, asOperator, async (nc) => {
    const { verification } = success(await verifyLog({ nc, graceMs: 0 })());
    assert.deepEqual(verification.findings, []);
  });
};

const resultsIn = (records: readonly StoredMessage[]): number =>
  records.filter(({ subject }) => subject.startsWith('res.stepper.')).length;

const MET_AND_KILLED = 'cancel.met@1:kill';

const killServer = async (broker: RestartedBroker): Promise<void> => {
  const { server } = await brokerStatus((await broker.now).dataDir);
  process.kill(server.pid as number, 'SIGKILL');
};

/** So many cancels have begun when the server is killed. */
const HALF = 8;

/** Which operation waits, from 0; -1: none. */
const placeOf = ({ length }: readonly Operation[], cancel: Case['cancel']): number =>
  cancel === undefined ? -1 : Math.min(cancel.at, length) - 1;

const isAsItMust = (
  { operations, undo, end }: Case,
  command: number,
  answer: Answer | undefined,
  records: readonly StoredMessage[],
): void => {
  const caused = records.filter((record) => record.header(HEADER.cause) === String(command));
  const results = caused.filter(({ subject }) => subject.startsWith('res.stepper.'));
  const cancels = caused.filter(({ subject }) => subject.startsWith('cancel.'));
  const made = caused.filter((record) => record.header(HEADER.call) !== undefined);
  const met = made.filter(({ data }) => Buffer.from(data).includes('"status":"cancelled"'));
  const what = JSON.stringify({
    command,
    operations,
    undo,
    end,
    answer,
    records: caused.map((r) => r.subject),
    results: results.map((r) => json<Result>(r)),
  });
  assert.equal(results.length, 1, what);
  assert.ok(cancels.length <= 1 && met.length <= 1, what);
  const [result] = results as [StoredMessage];
  const said = json<Result>(result);
  // A process that dies while the code of a handler runs may be ended by that handler.
  if (said.status !== 'ok' && said.error.code === 'HANDLER_CRASHED') return;
  assert.equal(result.header(HEADER.dead), undefined, what);
  const numbers = made.map((record) => Number(record.header(HEADER.call))).sort((a, b) => a - b);
  assert.deepEqual(
    numbers,
    numbers.map((_, n) => n + 1),
    what,
  );
  if (answer === undefined) assert.equal(cancels.length, 0, what);
  else if (answer.status === 'ok') assert.equal(cancels[0]?.seq, answer.data.cancel, what);
  else assert.equal(answer.error.code, 'RESULT_STORED', what);
  const [cancel] = cancels;
  const header = result.header(HEADER.cancelled);
  if (met.length === 0) {
    // It waited, or it had begun its last operation, or the cancel was too late.
    if (header === undefined) {
      assert.equal(said.status, 'ok', what);
      assert.equal(made.length, operations.length, what);
    } else {
      assert.deepEqual([header, made.length], [String(cancel?.seq), 0], what);
      assert.equal(said.status !== 'ok' && said.error.code, 'CANCELLED', what);
    }
    return;
  }
  const [at] = met as [StoredMessage];
  const n = Number(at.header(HEADER.call));
  const step = json<Step>(at);
  assert.ok(step.status === 'cancelled' && step.cancel === cancel?.seq && at.seq > step.cancel, what);
  if (end === 'saga') {
    // What was done is undone in reverse, once.
    const behind = made.filter((record) => Number(record.header(HEADER.call)) > n);
    const names = behind.sort((a, b) => a.seq - b.seq).map((record) => json<Step>(record).name);
    const wanted = Array.from({ length: n - 1 }, (_, k) => `undo ${n - 1 - k}`);
    assert.deepEqual(names, wanted, what);
    assert.equal(said.status !== 'ok' && said.error.code, 'CANCELLED', what);
    assert.equal(header, String(cancel?.seq), what);
    return;
  }
  // What it made before is before; behind it stands all of its compensation, or the rest.
  assert.equal(made.length, undo === undefined ? operations.length : n + undo.length, what);
  if (end === 'refusal') {
    assert.equal(said.status !== 'ok' && said.error.code, 'CANCELLED', what);
    assert.equal(header, String(cancel?.seq), what);
  } else {
    assert.ok(said.status === 'ok' && header === undefined, what);
    const { said: told } = said.data as { readonly said: readonly unknown[] };
    assert.equal(told.indexOf('CANCELLED'), n - 1, what);
    assert.equal(told.filter((each) => each === 'CANCELLED').length, 1, what);
  }
};
