import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import type { Refused } from '../../../modules/entry.js';
import { readModule } from '../../../broker/supervisor/manifest-file.js';
import { diffModule, type OutcomeDifference, verifyLog } from '../../../replay/index.js';
import type { AuditLine } from '../../../schemas/audit-record.js';
import type { ErrorCode } from '../../../schemas/error-table.js';
import { HEADER } from '../../../schemas/headers.js';
import type { StoredMessage } from '../../../schemas/record.js';
import type { Restart, Restarted } from '../../../schemas/restart.js';
import type { Result } from '../../../schemas/result.js';
import type { Operation, StepPlan } from '../../fixtures/modules/stepper/index.js';
import { tallystick } from '../../support/broker.js';
import { success } from '../../support/either.js';
import { codeOf, startStepper } from '../../support/stepper-broker.js';
import { PATIENT } from '../../support/patient.js';

const json = <T>({ data }: StoredMessage): T => JSON.parse(Buffer.from(data).toString()) as T;

const stepper = await startStepper('throws');
after(() => stepper[Symbol.asyncDispose]());
const { broker, server, guest, operator, tally, moduleDir } = stepper;
const { write, planOf, send, records, causedBy, resultOf, begun, gate } = stepper;

describe('a restart', () => {
  /** A command whose handler has made operations, and failed. */
  const failed = async (agent: string, operations: readonly Operation[], more: Partial<StepPlan> = {}) => {
    const plan = planOf({ operations, ...more });
    const command = await send(agent, plan);
    const result = await resultOf(command);
    assert.notEqual(result.status, 'ok');
    return { plan, command, result };
  };

  const restarted = async (command: number, body: string, nc = guest): Promise<Result> =>
    (await nc.request(`restart.${command}`, body, { timeout: 20_000 })).json<Result>();

  const isRefused = async (work: Promise<unknown>, code: ErrorCode, text?: RegExp): Promise<void> => {
    await assert.rejects(work, (error: Refused) => {
      assert.equal(error.code, code, error.message);
      if (text !== undefined) assert.match(error.message, text);
      return true;
    });
  };

  /** How often the server had an effect of this name: each has one key. */
  const effects = (name: string): number =>
    [...server.effects.values()].filter((each) => each.name === name).length;

  it('begins at a step, and the effects before it are not made again', async () => {
    server.refuses = 0;
    const operations = [{ step: 'one-reserve' }, { step: 'one-charge' }];
    const plan = planOf({ operations: [...operations, { step: 'one-ship' }], end: 'refusal' });
    const { until, open } = gate();
    write(plan, { operations: [...operations, { step: 'one-ship', until }], end: 'refusal' });
    const command = await send('one', plan);
    await begun(command, 2);
    server.refuses = 1;
    open();
    assert.equal(codeOf(await resultOf(command)), 'STEP_FAILED');
    const { newCommand, restart, kept, already, left, from } = await tally.restart(command, {
      from: 'one-ship',
    });
    assert.deepEqual([kept, already, from], [2, false, 3]);
    assert.deepEqual(left, [{ n: 3, what: 'step one-ship' }]);
    const result = await resultOf(newCommand);
    assert.equal(result.status, 'ok', JSON.stringify(result));
    assert.deepEqual(['one-reserve', 'one-charge', 'one-ship'].map(effects), [1, 1, 1]);
    assert.deepEqual(
      (await causedBy(newCommand)).map(({ subject }) => subject),
      ['step.stepper.follow.one', 'res.stepper.follow.one'],
    );
    // What failed has its key again: its effect may have happened.
    const shipped = [...server.effects].find(([, { name }]) => name === 'one-ship');
    assert.match(shipped?.[0] ?? '', new RegExp(`-${command}-3$`));
    const [record] = (await causedBy(command)).filter(({ subject }) => subject.startsWith('restart.'));
    assert.equal(record?.seq, restart);
    const steps = (await causedBy(command)).filter(({ subject }) => subject.startsWith('step.'));
    assert.equal(record?.header(HEADER.kept), `${steps[0]?.seq},${steps[1]?.seq}`);
    const { by, keys } = json<Restart>(record as StoredMessage);
    assert.deepEqual([by, keys], ['guest', [{ command, after: 3, failed: { 3: 'one-ship' } }]]);
    const made = (await records()).find(({ seq }) => seq === newCommand);
    assert.equal(made?.subject, 'cmd.stepper.follow.one.guest');
    assert.deepEqual(
      [HEADER.restart, HEADER.redrives, HEADER.cause].map((name) => made?.header(name)),
      [`${restart}`, `${command}`, undefined],
    );
  });

  it('is one, however often it is asked for, and the newer command restarts in its turn', async () => {
    const { command, plan } = await failed('twice', [{ step: 'twice-a' }, { step: 'twice-b' }]);
    const all = await Promise.all([1, 2, 3].map(() => tally.restart(command, { from: 2 })));
    assert.equal(new Set(all.map(({ newCommand }) => newCommand)).size, 1);
    assert.deepEqual(all.map(({ already }) => already).sort(), [false, true, true]);
    await isRefused(
      tally.restart(command, { from: 1 }),
      'RESTARTED',
      /as command \d+, from 2, and not from 1/,
    );
    const { newCommand } = all[0] as Restarted;
    await resultOf(newCommand);
    write(plan, { operations: [{ step: 'twice-a' }, { step: 'twice-b' }, { step: 'twice-c' }], end: 'ok' });
    const second = await tally.restart(newCommand, { from: 3 });
    assert.deepEqual([second.kept, second.left], [2, []]);
    assert.equal((await resultOf(second.newCommand)).status, 'ok');
    // The first restart makes b again, because it had succeeded: its key is new.
    assert.deepEqual(['twice-a', 'twice-b', 'twice-c'].map(effects), [1, 2, 1]);
    const redriven = await tallystick(['dead', 'redrive', `${command}`], { dataDir: broker.dataDir });
    assert.match(redriven.stderr, /DEAD_REDRIVEN/);
  });

  it('keeps calls, waits and signals with what they came to', async () => {
    const operations: readonly Operation[] = [
      { deposit: 5, agent: 'kept-payee' },
      { sleep: 1 },
      { signal: 'paid' },
      { promise: 'kept-promise', timeoutMs: 1 },
      { step: 'kept-step' },
    ];
    const plan = planOf({ operations });
    const command = await send('keeps', plan);
    await guest.request('signal.stepper.paid.keeps', '{"n":1}', PATIENT);
    await resultOf(command);
    write(plan, { operations: [...operations, { step: 'kept-more' }], end: 'ok' });
    const { newCommand, kept } = await tally.restart(command, { from: 7 });
    assert.equal(kept, 6);
    const result = await resultOf(newCommand);
    assert.equal(result.status, 'ok', JSON.stringify(result));
    const { said } = (result as { data: { said: readonly unknown[] } }).data;
    assert.deepEqual(said.slice(0, 4), [{ balance: 5 }, null, { n: 1 }, 'PROMISE_TIMEOUT']);
    const { data: state } = await guest.request('state.accounts.kept-payee', '', PATIENT);
    assert.match(Buffer.from(state).toString(), /"balance":5\b/);
  });

  it('keeps nothing from the first operation on, and all before the number behind the last', async () => {
    const { command, plan } = await failed('ends', [{ step: 'ends-a' }]);
    write(plan, { operations: [{ step: 'ends-a' }] });
    const first = await tally.restart(command, { from: 1 });
    assert.equal(first.kept, 0);
    await resultOf(first.newCommand);
    write(plan, { operations: [{ step: 'ends-a' }], end: 'ok' });
    const second = await tally.restart(first.newCommand, { from: 2 });
    assert.equal((await resultOf(second.newCommand)).status, 'ok');
    assert.equal(effects('ends-a'), 2);
  });

  it('stops with REPLAY_DIFFERS if the handler asks for something else', async () => {
    const { command, plan } = await failed('differs', [{ step: 'differs-a' }, { step: 'differs-b' }]);
    write(plan, { operations: [{ step: 'differs-x' }], end: 'ok' });
    const first = await tally.restart(command, { from: 3 });
    const result = await resultOf(first.newCommand);
    assert.equal(codeOf(result), 'REPLAY_DIFFERS');
    write(plan, { operations: [{ step: 'differs-a' }], end: 'ok' });
    const second = await tally.restart(first.newCommand, { from: 3 });
    // It made fewer operations than it keeps.
    assert.equal(codeOf(await resultOf(second.newCommand)), 'REPLAY_DIFFERS');
    assert.equal(effects('differs-x'), 0);
  });

  it('of a cancelled command begins at most where the handler met its cancel', async () => {
    const { until, open } = gate();
    const operations = [{ step: 'undone-a' }, { step: 'undone-b', until }, { step: 'undone-c' }];
    const undo = [{ step: 'undone-refund' }];
    const plan = planOf({ operations, undo, end: 'refusal' });
    const command = await send('undone', plan);
    await begun(command, 1);
    await isRefused(tally.restart(command, { from: 1 }), 'RESULT_PENDING');
    await tally.cancel(command);
    open();
    assert.equal(codeOf(await resultOf(command)), 'CANCELLED');
    await isRefused(tally.restart(command, { from: 4 }), 'RESTART_REFUSED', /met its cancel at 3/);
    const { newCommand, left } = await tally.restart(command, { from: 3 });
    assert.deepEqual(
      left.map(({ n, what }) => `${n} ${what}`),
      ['3 step undone-c', '4 step undone-refund'],
    );
    assert.equal((await resultOf(newCommand)).status, 'ok');
    assert.deepEqual(['undone-a', 'undone-b', 'undone-c'].map(effects), [1, 1, 1]);
  });

  it('that is cancelled before it runs makes nothing new, and undoes what it keeps', async () => {
    const operations = [{ step: 'both-a' }, { step: 'both-b' }];
    const { command, plan } = await failed('both', operations);
    const { until, open } = gate();
    const blocker = await send('both', planOf({ operations: [{ step: 'both-held', until }], end: 'ok' }));
    write(plan, {
      operations: [...operations, { step: 'both-not' }],
      undo: [{ step: 'both-refund' }],
      end: 'refusal',
    });
    const { newCommand } = await tally.restart(command, { from: 3 });
    await tally.cancel(newCommand);
    open();
    await resultOf(blocker);
    assert.equal(codeOf(await resultOf(newCommand)), 'CANCELLED');
    assert.deepEqual(['both-not', 'both-refund'].map(effects), [0, 1]);
  });

  it('is refused with the reason', async () => {
    const done = await send('fine', planOf({ operations: [{ step: 'fine' }], end: 'ok' }));
    await resultOf(done);
    await isRefused(tally.restart(done, { from: 1 }), 'RESTART_REFUSED', /has a result that counts/);
    const { command } = await failed('fine', [{ limit: 1 }, { step: 'same' }, { step: 'same' }]);
    await isRefused(tally.restart(command, { from: 3 }), 'RESTART_REFUSED', /does not have operation 1/);
    await isRefused(tally.restart(command, { from: 'never' }), 'STEP_UNKNOWN', /3 step same, 4 step same/);
    await isRefused(tally.restart(command, { from: 'same' }), 'STEP_UNKNOWN', /as 3, 4: give the number/);
    await isRefused(tally.restart(command, { from: 6 }), 'STEP_UNKNOWN', /no operation 6/);
    await isRefused(tally.restart(9_999_999, { from: 1 }), 'COMMAND_UNKNOWN');
    for (const subject of ['0', 'x', '-1', '1e3', '007'])
      assert.equal(
        codeOf((await guest.request(`restart.${subject}`, '{"from":1}', PATIENT)).json<Result>()),
        'SUBJECT_INVALID',
      );
    for (const body of ['', '[]', '{}', '{"from":0}', '{"from":1.5}', '{"from":""}', '{"from":1,"x":1}'])
      assert.match(codeOf(await restarted(command, body)) ?? 'ok', /^PAYLOAD_/, body);
    const other = '{"from":1,"command":"stepper.follow.other"}';
    assert.equal(codeOf(await restarted(command, other)), 'COMMAND_UNKNOWN');
    const again = await tallystick(['dead', 'redrive', `${command}`], { dataDir: broker.dataDir });
    assert.equal(again.code, 0, again.stderr);
    await isRefused(tally.restart(command, { from: 1 }), 'DEAD_REDRIVEN');
  });

  it('is for the sender of the command and for operators, whose restarts are in the audit', async () => {
    const plan = planOf({ operations: [{ step: 'whose' }] });
    const byOperator = await send('whose', plan, operator);
    const byGuest = await send('whose', plan);
    await Promise.all([byOperator, byGuest].map(resultOf));
    assert.equal(codeOf(await restarted(byOperator, '{"from":2}')), 'NOT_ALLOWED');
    const said = await restarted(byGuest, '{"from":"step whose"}', operator);
    assert.equal(codeOf(await restarted(byGuest, '{"from":2}', operator)), 'RESTARTED');
    const { newCommand } = (said as { data: Restarted }).data;
    const { stdout } = await tallystick(['audit', 'list', '--json'], { dataDir: broker.dataDir });
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditLine);
    const acts = lines.filter(({ kind }) => kind === 'command.restart');
    assert.deepEqual(
      acts.map(({ principal, target, log }) => [principal, target, log]),
      [['operator', `stepper.follow.whose ${byGuest}`, newCommand]],
    );
  });

  it('is asked for on the command line, and seen in history and trace', async () => {
    const { command, plan } = await failed('line', [{ step: 'line-a' }, { step: 'line-b' }]);
    write(plan, { operations: [{ step: 'line-a' }, { step: 'line-b' }], end: 'ok' });
    const cli = (...args: readonly string[]) => tallystick([...args], { dataDir: broker.dataDir });
    const first = await cli('restart', `${command}`, '--from', 'line-b');
    const line =
      /^command \d+ is restarted as command (\d+), which keeps 1 operation and acts from 2; not kept: 2 step line-b\n$/;
    assert.match(first.stdout, line, first.stderr);
    const again = await cli('restart', `${command}`, '--from', '2', '--json');
    const { data } = JSON.parse(again.stdout) as { data: Restarted };
    assert.equal(data.already, true);
    await resultOf(data.newCommand);
    const unknown = await cli('restart', `${command}`, '--from', 'nothing');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /STEP_UNKNOWN/);
    assert.equal((await cli('restart', `${command}`)).code, 2);
    const trace = await cli('replay', 'trace', `${command}`);
    assert.match(trace.stdout, /restart stepper\.follow/);
    assert.match(trace.stdout, new RegExp(`redrives ${command}`));
    const history = await cli('replay', 'history', '--kind', 'restart');
    assert.match(history.stdout, /restart +stepper\.follow +line/);
  });

  it('keeps any prefix that has ended, of any operations', async () => {
    const operation: fc.Arbitrary<Operation> = fc.oneof(
      fc.record({ step: fc.constantFrom('gen-x', 'gen-y') }),
      fc.record({ deposit: fc.integer({ min: 1, max: 3 }), agent: fc.constant('gen') }),
      fc.record({ sleep: fc.constant(1) }),
    );
    const cases = fc.sample(
      fc.tuple(fc.array(operation, { maxLength: 5 }), fc.integer({ min: 1, max: 7 }), fc.boolean()),
      8,
    );
    const judge = async ([operations, from, changes]: (typeof cases)[number], i: number): Promise<void> => {
      const agent = `gen-${i}`;
      const what = JSON.stringify({ operations, from });
      const { command, plan } = await failed(agent, operations);
      if (from > operations.length + 1) return isRefused(tally.restart(command, { from }), 'STEP_UNKNOWN');
      // Code that does something else behind the prefix is as good.
      const rest: readonly Operation[] = changes ? [{ step: 'gen-new' }] : operations.slice(from - 1);
      write(plan, { operations: [...operations.slice(0, from - 1), ...rest], end: 'ok' });
      const { newCommand, kept } = await tally.restart(command, { from });
      assert.equal(kept, from - 1, what);
      const result = await resultOf(newCommand);
      assert.equal(result.status, 'ok', `${what} ${JSON.stringify(result)}`);
      const own = (await causedBy(newCommand)).filter((record) => record.header(HEADER.call) !== undefined);
      const numbers = new Set(own.map((record) => Number(record.header(HEADER.call))));
      assert.deepEqual(
        [...numbers],
        rest.map((_, n) => from + n),
        what,
      );
    };
    await Promise.all(cases.map(judge));
  });

  it('comes out the same when its commands are handled again', async () => {
    const { command, plan } = await failed('again', [{ step: 'again-a' }, { deposit: 1, agent: 'again' }]);
    write(plan, { operations: [{ step: 'again-a' }, { deposit: 1, agent: 'again' }], end: 'ok' });
    const { newCommand } = await tally.restart(command, { from: 3 });
    await resultOf(newCommand);
    const differences: OutcomeDifference[] = [];
    const version = success(readModule(moduleDir));
    const onDifference = (difference: OutcomeDifference): void => void differences.push(difference);
    const options = { nc: operator, version, agent: 'again', from: newCommand, onDifference };
    const report = success(await diffModule(options)());
    assert.deepEqual([report.same, differences], [1, []]);
    writeFileSync(plan, readFileSync(plan, 'utf8').replace('again-a', 'other'));
    await diffModule(options)();
    assert.deepEqual(
      differences.map((each) => [each.kind, each.seq]),
      [['stopped', newCommand]],
    );
  });

  it('leaves a log that verifies', async () => {
    const { verification } = success(await verifyLog({ nc: operator, graceMs: 0 })());
    assert.deepEqual(verification.findings, []);
  });
});
