import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HEADER } from '../../schemas/headers.js';
import type { Verification } from '../../schemas/verification.js';
import type { Operation } from '../fixtures/modules/stepper/index.js';
import { waitFor } from '../support/wait-for.js';
import { causeOf, type Copied, copyOf, headerOf, withHeader } from './log-copy.js';
import { startStepper } from '../support/stepper-broker.js';
import { type ChangedLogs, startChangedLogs } from './changed-logs.js';
import { PATIENT } from '../support/patient.js';

describe('verify on a log with waits, signals and promises', () => {
  let log: readonly Copied[];
  let copies: ChangedLogs;

  before(async () => {
    await using stepper = await startStepper('ok');
    const { guest, operator } = stepper;
    const send = (agent: string, operations: readonly Operation[]): Promise<number> =>
      stepper.send(agent, stepper.planOf({ operations }));
    const signal = (agent: string, n: number): Promise<unknown> =>
      guest.request(`signal.stepper.go.${agent}`, JSON.stringify({ n }), PATIENT);
    const wait: Operation = { signal: 'go', timeoutMs: 60_000 };
    await send('ann', [{ sleep: 10 }, { sleep: 20 }, wait, wait]);
    await send('bob', [wait, { signal: 'never', timeoutMs: 20 }]);
    for (const [agent, n] of [
      ['ann', 1],
      ['ann', 2],
      ['ann', 3],
      ['bob', 4],
    ] as const)
      await signal(agent, n);
    log = await waitFor('both handlers to end', async () => {
      const found = await copyOf(operator);
      return found.filter(({ subject }) => subject.startsWith('res.')).length === 2 && found;
    });
    copies = await startChangedLogs();
  });
  after(() => copies?.[Symbol.asyncDispose]());

  const verify = (records: readonly Copied[]): Promise<Verification> => copies.verify(records);
  const wakes = (agent: string): readonly Copied[] =>
    log.filter(({ subject }) => subject === `wake.stepper.follow.${agent}`);
  const signals = (agent: string): readonly Copied[] =>
    log.filter(({ subject }) => subject === `signal.stepper.go.${agent}`);
  const changed = (record: Copied | undefined, change: (record: Copied) => Copied): readonly Copied[] => {
    assert.ok(record !== undefined);
    return log.map((each) => (each === record ? change(each) : each));
  };
  const found = (
    { findings }: Verification,
    kind: string,
    record: Copied | undefined,
    detail: RegExp,
  ): void => {
    const same = findings.some(
      (each) => each.kind === kind && each.seq === record?.seq && detail.test(each.detail),
    );
    assert.ok(same, `${kind} at ${record?.seq}: ${JSON.stringify(findings, null, 1)}`);
  };
  const foundWith = async (
    record: Copied | undefined,
    change: (record: Copied) => Copied,
    kind: string,
    detail: RegExp,
  ): Promise<void> => found(await verify(changed(record, change)), kind, record, detail);
  const by = (producer: string) => (record: Copied) => withHeader(record, HEADER.id, `${producer}.1.1`);

  it('finds nothing where nothing is wrong', async () => {
    assert.deepEqual([wakes('ann').length, wakes('bob').length, signals('ann').length], [4, 2, 3]);
    assert.deepEqual((await verify(log)).findings, []);
  });

  it('finds a second wake of a wait', async () => {
    const [first, second] = wakes('ann');
    const call = headerOf(first as Copied, HEADER.call) as string;
    await foundWith(
      second,
      (each) => withHeader(each, HEADER.call, call),
      'callsDiffer',
      /wait 1 of \d+ was woken before/,
    );
  });

  it('finds a wake without a wait', async () => {
    const [first] = wakes('ann');
    await foundWith(
      first,
      (each) => withHeader(each, HEADER.call, '9'),
      'callsDiffer',
      /command \d+ has no wait 9 before its wake/,
    );
  });

  it('finds a wake before its wait', async () => {
    const [first] = wakes('ann');
    const wait = log.find(
      (each) => each.subject === 'step.stepper.follow.ann' && causeOf(each) === causeOf(first as Copied),
    ) as Copied;
    const swapped = log.map((each) =>
      each.seq === wait.seq ? (first as Copied) : each === first ? wait : each,
    );
    const verification = await verify(swapped);
    found(verification, 'callsDiffer', wait, /has no wait 1 before its wake/);
  });

  it('finds a wake of a command that is not there, or is of another agent', async () => {
    const [first] = wakes('ann');
    const no = /is no open command of that action and agent/;
    await foundWith(first, (each) => withHeader(each, HEADER.cause, String(log.length)), 'unattributed', no);
    const ofBob = causeOf(wakes('bob')[0] as Copied);
    await foundWith(first, (each) => withHeader(each, HEADER.cause, String(ofBob)), 'unattributed', no);
  });

  it('finds a wake, and a signal, that another than the broker has written', async () => {
    for (const producer of ['stepper', 'gateway', 'guest'])
      for (const record of [wakes('ann')[1], signals('ann')[0]])
        await foundWith(record, by(producer), 'unattributed', /only \S+ can have written it/);
  });

  it('finds a signal that is taken twice', async () => {
    const taking = wakes('ann').filter((each) => headerOf(each, HEADER.signal) !== undefined);
    const [first, second] = taking;
    const signal = headerOf(first as Copied, HEADER.signal) as string;
    await foundWith(
      second,
      (each) => withHeader(each, HEADER.signal, signal),
      'callsDiffer',
      new RegExp(`names signal ${signal}, which it cannot have`),
    );
  });

  it('finds a wake that takes the signal of another agent, one that comes later, or what is no signal', async () => {
    const taking = wakes('ann').find((each) => headerOf(each, HEADER.signal) !== undefined);
    const others = [signals('bob')[0]?.seq, log.length, causeOf(taking as Copied), 'x', '0'];
    for (const other of others)
      await foundWith(
        taking,
        (each) => withHeader(each, HEADER.signal, String(other)),
        'callsDiffer',
        /which it cannot have/,
      );
  });

  it('finds a sleep that a signal ends', async () => {
    const [first] = wakes('ann');
    const kept = signals('ann')[2] as Copied;
    // The signal comes later: no wake before it can take it.
    await foundWith(
      first,
      (each) => withHeader(each, HEADER.signal, String(kept.seq)),
      'callsDiffer',
      /which it cannot have/,
    );
  });
});
