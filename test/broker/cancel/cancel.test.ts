import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import type { Refused } from '../../../modules/entry.js';
import { readModule } from '../../../broker/supervisor/manifest-file.js';
import { diffModule, type OutcomeDifference, verifyLog } from '../../../replay/index.js';
import type { Cancelled } from '../../../schemas/cancel.js';
import { HEADER } from '../../../schemas/headers.js';
import type { StoredMessage } from '../../../schemas/record.js';
import type { Result } from '../../../schemas/result.js';
import type { Operation, StepPlan } from '../../fixtures/modules/stepper/index.js';
import { manifest } from '../../fixtures/modules/stepper/manifest.js';
import { tallystick } from '../../support/broker.js';
import { success } from '../../support/either.js';
import { waitFor } from '../../support/wait-for.js';
import { codeOf, startStepper } from '../../support/stepper-broker.js';
import { PATIENT } from '../../support/patient.js';

const stepper = await startStepper('ok');
after(() => stepper[Symbol.asyncDispose]());
const { broker, guest, operator, tally, moduleDir, planOf, records, causedBy, resultOf, begun, gate } =
  stepper;

describe('a cancel', () => {
  const send = (agent: string, plan: Partial<StepPlan>, nc = guest): Promise<number> =>
    stepper.send(agent, planOf(plan), nc);

  const cancelled = async (command: number, body = '', nc = guest): Promise<Result> =>
    (await nc.request(`cancel.${command}`, body, { timeout: 10_000 })).json<Result>();

  it('of a command that waits is its result, and its handler does not run', async () => {
    const { until, open } = gate();
    const first = await send('lane', { operations: [{ step: 'one' }, { step: 'held', until }] });
    const second = await send('lane', { operations: [{ step: 'never' }] });
    await begun(first, 1);
    const { command, cancel, already, children } = await tally.cancel(second);
    assert.deepEqual([command, already, children], [second, false, []]);
    assert.deepEqual(await tally.cancel(second), { command, cancel, already: true, children });
    open();
    assert.equal((await resultOf(first)).status, 'ok');
    const result = await resultOf(second);
    assert.deepEqual(result, {
      status: 'rejected',
      error: {
        code: 'CANCELLED',
        message: `the command was cancelled by record ${cancel}`,
        retryable: false,
      },
    });
    const caused = await causedBy(second);
    assert.deepEqual(
      caused.map(({ subject }) => subject),
      ['cancel.stepper.follow.lane', 'res.stepper.follow.lane'],
    );
    assert.equal(caused[1]?.header(HEADER.cancelled), String(cancel));
    assert.equal(caused[1]?.header(HEADER.dead), undefined);
  });

  it('is met at the next operation, and the operations of a compensation work', async () => {
    const { until, open } = gate();
    const undo: Operation[] = [{ step: 'refund' }, { deposit: 1, agent: 'till' }];
    const command = await send('runs', {
      operations: [{ step: 'one' }, { step: 'held', until }, { step: 'not' }, { step: 'not either' }],
      undo,
      end: 'refusal',
    });
    await begun(command, 1);
    const { cancel } = await tally.cancel(command);
    open();
    assert.equal(codeOf(await resultOf(command)), 'CANCELLED');
    const made = (await causedBy(command)).filter((record) => record.header(HEADER.call) !== undefined);
    assert.deepEqual(
      made.map(({ subject, data }) => {
        const { name, status } = JSON.parse(Buffer.from(data).toString()) as Record<string, unknown>;
        return subject.startsWith('step.') ? [name, status] : subject;
      }),
      [
        ['one', 'ok'],
        ['held', 'ok'],
        ['not', 'cancelled'],
        ['refund', 'ok'],
        'cmd.accounts.deposit.till.stepper',
      ],
    );
    const result = (await causedBy(command)).find(({ subject }) => subject.startsWith('res.'));
    assert.equal(result?.header(HEADER.cancelled), String(cancel));
  });

  it('is met at a call as at a step', async () => {
    const { until, open } = gate();
    const command = await send('calls', {
      operations: [
        { step: 'one' },
        { step: 'held', until },
        { deposit: 1, agent: 'till' },
        { deposit: 2, agent: 'till' },
      ],
    });
    await begun(command, 1);
    await tally.cancel(command);
    open();
    const result = await resultOf(command);
    assert.ok(result.status === 'ok');
    assert.equal((result.data as { said: unknown[] }).said[2], 'CANCELLED');
    assert.equal(typeof (result.data as { said: unknown[] }).said[3], 'object');
  });

  it('wakes a handler that sleeps, which meets it there, and leaves its compensation asleep', async () => {
    const command = await send('sleeper', {
      operations: [{ step: 'one' }, { sleep: 3_600_000 }, { step: 'not' }],
      undo: [{ sleep: 50 }, { step: 'undone' }],
      end: 'refusal',
    });
    await begun(command, 2);
    const { cancel } = await tally.cancel(command);
    assert.equal(codeOf(await resultOf(command)), 'CANCELLED');
    const caused = await causedBy(command);
    const steps = caused.filter(({ subject }) => subject.startsWith('step.'));
    assert.deepEqual(
      steps.map(({ data }) => (JSON.parse(Buffer.from(data).toString()) as { name: string }).name),
      ['one', 'sleep', 'sleep', 'undone'],
    );
    const wakes = caused.filter(({ subject }) => subject.startsWith('wake.'));
    assert.deepEqual(
      wakes.map((wake) => [wake.header(HEADER.call), wake.header(HEADER.cancelled)]),
      [
        ['2', String(cancel)],
        ['3', undefined],
      ],
    );
    const result = caused.find(({ subject }) => subject.startsWith('res.'));
    assert.equal(result?.header(HEADER.cancelled), String(cancel));
  });

  const waits: readonly Operation[] = [
    { sleep: 3_600_000 },
    { sleepUntil: '2099-01-01T00:00:00Z' },
    { signal: 'never' },
    { signal: 'late', timeoutMs: 3_600_000 },
    { promise: 'told' },
    { promise: 'told', timeoutMs: 3_600_000 },
  ];
  for (const [n, wait] of waits.entries())
    it(`is met at once by a handler that waits: ${JSON.stringify(wait)}`, async () => {
      const command = await send(`waits${n}`, {
        operations: [{ step: 'one' }, wait, { step: 'two' }],
      });
      await waitFor('the handler to wait', async () =>
        (await causedBy(command)).some(({ data }) => Buffer.from(data).includes('"status":"waiting"')),
      );
      // Its step that hands out the promise is behind the wait.
      if ('promise' in wait) await begun(command, 3);
      const { cancel } = await tally.cancel(command);
      const result = await resultOf(command);
      assert.ok(result.status === 'ok', JSON.stringify(result));
      const { said } = result.data as { said: readonly unknown[] };
      assert.equal(said[1], 'CANCELLED');
      assert.equal(typeof said[2], 'object');
      const wakes = (await causedBy(command)).filter(({ subject }) => subject.startsWith('wake.'));
      assert.deepEqual(
        wakes.map((wake) => wake.header(HEADER.cancelled)),
        [String(cancel)],
      );
    });

  it('leaves a signal that came before it to the agent, and a promise that nobody can settle any more', async () => {
    const command = await send('signalled', {
      operations: [{ promise: 'told' }, { signal: 'paid', timeoutMs: 5_000 }],
    });
    await begun(command, 2);
    const { id } = await waitFor('the promise', async () => {
      const step = (await causedBy(command)).find(({ data }) => Buffer.from(data).includes('"told"'));
      return (
        step !== undefined && {
          id: (JSON.parse(Buffer.from(step.data).toString()) as { value: string }).value,
        }
      );
    });
    await tally.signal({ manifest }, 'signalled', 'paid', { n: 1 });
    await tally.cancel(command);
    const result = await resultOf(command);
    assert.deepEqual(result.status === 'ok' && result.data, { said: ['CANCELLED', { n: 1 }] });
    const late = (await guest.request(`promise.resolve.${id}`, '1', PATIENT)).json<Result>();
    assert.equal(codeOf(late), 'PROMISE_UNKNOWN');
  });

  it('ends no wait of a compensation, and the handler meets it once', async () => {
    const { until, open } = gate();
    const inner = planOf({ operations: [{ step: 'held', until }, { step: 'not' }], end: 'refusal' });
    const outer = await send('patient', {
      operations: [{ follow: inner, agent: 'patient-inner' }, { step: 'not' }],
      undo: [{ sleep: 300 }, { signal: 'never', timeoutMs: 200 }, { step: 'undone' }],
    });
    await begun(outer, 1);
    await tally.cancel(outer, { children: true });
    open();
    const result = await resultOf(outer);
    assert.ok(result.status === 'ok', JSON.stringify(result));
    const { said } = result.data as { said: readonly unknown[] };
    assert.deepEqual(said.slice(0, 3), ['CANCELLED', null, 'SIGNAL_TIMEOUT']);
    assert.equal(typeof said[3], 'object');
  });

  it('ends no wait of a saga that undoes what it did when the cancel comes', async () => {
    const command = await send('undoes', {
      operations: [{ step: 'one' }, { signal: 'never', timeoutMs: 10 }],
      undo: [{ signal: 'go' }, { step: 'undone' }],
      saga: true,
    });
    await begun(command, 3);
    await tally.cancel(command);
    await tally.signal({ manifest }, 'undoes', 'go', { n: 1 });
    assert.equal(codeOf(await resultOf(command)), 'SIGNAL_TIMEOUT');
    const caused = await causedBy(command);
    const wakes = caused.filter(({ subject }) => subject.startsWith('wake.'));
    assert.deepEqual(
      wakes.map((wake) => wake.header(HEADER.cancelled)),
      [undefined, undefined],
    );
    assert.ok(caused.some(({ data }) => Buffer.from(data).includes('"undone"')));
  });

  it('leaves the outcome of a handler that ignores it', async () => {
    const { until, open } = gate();
    const command = await send('ignores', { operations: [{ step: 'a' }, { step: 'held', until }] });
    await begun(command, 1);
    await tally.cancel(command);
    open();
    assert.equal((await resultOf(command)).status, 'ok');
  });

  it('cancels the calls of the handler first, and that is how the handler meets it', async () => {
    const { until, open } = gate();
    const inner = planOf({
      operations: [{ step: 'inner' }, { step: 'held', until }, { step: 'not' }],
      end: 'refusal',
      undo: [{ step: 'undone' }],
    });
    const outer = await send('outer', {
      operations: [{ step: 'a' }, { follow: inner, agent: 'inner' }, { step: 'not' }],
      undo: [{ step: 'first' }, { step: 'second' }],
      end: 'refusal',
    });
    await begun(outer, 2);
    const child = (await causedBy(outer)).find(({ subject }) => subject.startsWith('cmd.')) as StoredMessage;
    await begun(child.seq, 1);
    const said = await tally.cancel(outer, { children: true });
    assert.deepEqual(said.children, [child.seq]);
    open();
    assert.equal(codeOf(await resultOf(child.seq)), 'CANCELLED');
    assert.equal(codeOf(await resultOf(outer)), 'CANCELLED');
    const cancels = (await records()).filter(({ subject }) => subject.startsWith('cancel.'));
    const [ofChild, ofOuter] = cancels.slice(-2);
    assert.deepEqual(
      [ofChild?.header(HEADER.cause), ofOuter?.header(HEADER.cause)],
      [`${child.seq}`, `${outer}`],
    );
    assert.equal(ofOuter?.header(HEADER.children), `${child.seq}`);
    const steps = (await causedBy(outer)).filter(({ subject }) => subject.startsWith('step.'));
    assert.deepEqual(
      steps.map(({ data }) => (JSON.parse(Buffer.from(data).toString()) as { name: string }).name),
      ['a', 'first', 'second'],
    );
  });

  it('is refused with the reason', async () => {
    const done = await send('done', {});
    await resultOf(done);
    await assert.rejects(tally.cancel(done), (error: Refused) => error.code === 'RESULT_STORED');
    assert.equal(codeOf(await cancelled(9_999_999)), 'COMMAND_UNKNOWN');
    const result = (await causedBy(done))[0] as StoredMessage;
    assert.equal(codeOf(await cancelled(result.seq)), 'COMMAND_UNKNOWN');
    for (const subject of ['0', 'x', '-1', '1e3', '007'])
      assert.equal(
        codeOf((await guest.request(`cancel.${subject}`, '', PATIENT)).json<Result>()),
        'SUBJECT_INVALID',
      );
    for (const body of ['[]', '{"children":1}', '{"child":true}', '"x"'])
      assert.equal(codeOf(await cancelled(done, body)), 'PAYLOAD_INVALID', body);
    assert.equal(codeOf(await cancelled(done, '{')), 'PAYLOAD_NOT_JSON');
    assert.equal(codeOf(await cancelled(done, '{"command":"stepper.follow.other"}')), 'COMMAND_UNKNOWN');
  });

  it('is for the sender of the command and for operators', async () => {
    const { until, open } = gate();
    const held: Partial<StepPlan> = { operations: [{ step: 'a' }, { step: 'held', until }] };
    const [first, second] = [await send('by-operator', held, operator), await send('by-guest', held)];
    assert.equal(codeOf(await cancelled(first)), 'NOT_ALLOWED');
    assert.equal((await cancelled(first, '', operator)).status, 'ok');
    assert.equal((await cancelled(second, '', operator)).status, 'ok');
    open();
  });

  it('is asked for on the command line', async () => {
    const { until, open } = gate();
    const command = await send('line', {
      operations: [{ step: 'a' }, { step: 'held', until }, { step: 'not' }],
    });
    await begun(command, 1);
    const first = await tallystick(['cancel', String(command)], { dataDir: broker.dataDir });
    assert.match(first.stdout, new RegExp(`^command ${command} is cancelled, by record \\d+\n$`));
    assert.equal(first.code, 0);
    const again = await tallystick(['cancel', String(command), '--json'], { dataDir: broker.dataDir });
    const { data } = JSON.parse(again.stdout) as { data: Cancelled };
    assert.equal(data.already, true);
    open();
    await resultOf(command);
    const late = await tallystick(['cancel', String(command)], { dataDir: broker.dataDir });
    assert.equal(late.code, 1);
    assert.match(late.stderr, /RESULT_STORED/);
    const trace = await tallystick(['replay', 'trace', String(command)], { dataDir: broker.dataDir });
    assert.match(trace.stdout, /cancel stepper\.follow/);
    const history = await tallystick(['replay', 'history', '--kind', 'cancel'], { dataDir: broker.dataDir });
    assert.match(history.stdout, /stepper\.follow|follow/);
  });

  it('comes out the same when its commands are handled again, unless the compensation is another', async () => {
    const compared = async () => {
      const differences: OutcomeDifference[] = [];
      const onDifference = (difference: OutcomeDifference): void => void differences.push(difference);
      const version = success(readModule(moduleDir));
      const report = success(await diffModule({ nc: operator, version, onDifference })());
      return { report, differences };
    };
    const plan = planOf({
      operations: [{ sleep: 3_600_000 }, { step: 'not' }],
      undo: [{ step: 'refund' }],
      end: 'refusal',
    });
    const reply = await guest.request('cmd.stepper.follow.again', JSON.stringify({ plan }), PATIENT);
    const { seq } = reply.json<{ seq: number }>();
    await begun(seq, 1);
    await tally.cancel(seq);
    await resultOf(seq);
    const same = await compared();
    assert.deepEqual(same.differences, []);
    assert.ok(same.report.same >= 10, JSON.stringify(same.report));
    const changed = readFileSync(plan, 'utf8').replace('refund', 'other');
    writeFileSync(plan, changed);
    const { differences } = await compared();
    assert.deepEqual(
      differences.map((each) => [each.kind, each.seq]),
      [['stopped', seq]],
    );
  });

  it('leaves a log that verifies', async () => {
    const { verification } = success(await verifyLog({ nc: operator, graceMs: 0 })());
    assert.deepEqual(verification.findings, []);
  });
});
