import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { verifyLog } from '../../replay/verify/verify-log.js';
import { HEADER } from '../../schemas/headers.js';
import type { Restart } from '../../schemas/restart.js';
import type { Verification } from '../../schemas/verification.js';
import type { Operation } from '../fixtures/modules/stepper/index.js';
import { success } from '../support/either.js';
import { waitFor } from '../support/wait-for.js';
import { type Copied, copyOf, headerOf, withHeader } from './log-copy.js';
import { startStepper } from '../support/stepper-broker.js';
import { type ChangedLogs, startChangedLogs } from './changed-logs.js';

describe('verify on a log with restarts', () => {
  let log: readonly Copied[];
  let copies: ChangedLogs;

  before(async () => {
    await using stepper = await startStepper('throws');
    const { guest, operator } = stepper;
    const operations: readonly Operation[] = [{ deposit: 1, agent: 'till' }, { sleep: 1 }, { sleep: 2 }];
    const plan = stepper.planOf({ operations });
    let seq = await stepper.send('ann', plan);
    for (const end of ['throws', 'ok'] as const) {
      await stepper.resultOf(seq);
      stepper.write(plan, { operations, end });
      const reply = await guest.request(`restart.${seq}`, '{"from":3}', { timeout: 20_000 });
      ({
        data: { newCommand: seq },
      } = reply.json<{ data: { newCommand: number } }>());
    }
    log = await waitFor('the last handler to end', async () => {
      const found = await copyOf(operator);
      return found.filter(({ subject }) => subject.startsWith('res.stepper.')).length === 3 && found;
    });
    copies = await startChangedLogs();
  });
  after(() => copies?.[Symbol.asyncDispose]());

  const verify = (records: readonly Copied[]): Promise<Verification> => copies.verify(records);
  const restart = (i: number): Copied =>
    log.filter(({ subject }) => subject === 'restart.stepper.follow.ann')[i] as Copied;
  const command = (i: number): Copied =>
    log.filter(({ subject }) => subject === 'cmd.stepper.follow.ann.guest')[i] as Copied;
  const foundWith = async (
    record: Copied,
    change: (record: Copied) => Copied,
    kind: string,
    detail: RegExp,
  ): Promise<void> => {
    const { findings } = await verify(log.map((each) => (each === record ? change(each) : each)));
    const same = findings.some(
      (each) => each.kind === kind && each.seq === record.seq && detail.test(each.detail),
    );
    assert.ok(same, `${kind} at ${record.seq}: ${JSON.stringify(findings, null, 1)}`);
  };
  const kept = (i: number): readonly string[] => (headerOf(restart(i), HEADER.kept) ?? '').split(',');

  it('finds nothing where nothing is wrong, also from the middle on', async () => {
    assert.deepEqual([kept(0).length, kept(1)], [2, kept(0)]);
    assert.deepEqual((await verify(log)).findings, []);
    for (const { seq: from } of [restart(0), command(1), restart(1), command(2)]) {
      const part = success(await verifyLog({ nc: copies.nc, from, graceMs: 0 })()).verification;
      assert.deepEqual(part.findings, [], `from ${from}`);
    }
  });

  it('finds a restart that another than the broker has written', async () => {
    for (const producer of ['stepper', '__waits'])
      await foundWith(
        restart(0),
        (each) => withHeader(each, HEADER.id, `${producer}.1.1`),
        'unattributed',
        /can have written it/,
      );
  });

  it('finds a restart of what is no command with a result', async () => {
    const no = /names \d+, which is no command with a result before it/;
    for (const cause of [command(1).seq, 1, log.length])
      await foundWith(restart(0), (each) => withHeader(each, HEADER.cause, String(cause)), 'callsDiffer', no);
    const other = log.find(({ subject }) => subject.startsWith('cmd.accounts.')) as Copied;
    await foundWith(
      restart(0),
      (each) => withHeader(each, HEADER.cause, String(other.seq)),
      'callsDiffer',
      /is no command of that action and agent/,
    );
  });

  it('finds a second restart of a command', async () => {
    await foundWith(
      restart(1),
      (each) => withHeader(each, HEADER.cause, String(command(0).seq)),
      'callsDiffer',
      /is restarted again/,
    );
  });

  it('finds a restart without its command, and a command without its restart', async () => {
    const { findings } = await verify(
      log.map((each) => (each === command(1) ? withHeader(each, HEADER.restart, 'x') : each)),
    );
    const kinds = findings.map(({ kind, seq }) => `${kind} ${seq}`);
    assert.ok(kinds.includes(`missing ${restart(0).seq}`), JSON.stringify(findings, null, 1));
    for (const seq of [command(0).seq, restart(0).seq])
      await foundWith(
        command(2),
        (each) => withHeader(each, HEADER.restart, String(seq)),
        'callsDiffer',
        /which does not restart a command as this one/,
      );
  });

  it('finds another command than the one that is restarted', async () => {
    const other = { ...command(1), data: '{"plan":"/other"}' };
    const { findings } = await verify(log.map((each) => (each === command(1) ? other : each)));
    const at = findings.filter(({ detail }) => /is another command/.test(detail)).map(({ seq }) => seq);
    assert.ok(at.includes(restart(0).seq), JSON.stringify(findings));
  });

  it('finds what is kept and is not what the handler did', async () => {
    const [call = '', wait = ''] = kept(0);
    const [callSeq = '', resultSeq = ''] = call.split('+');
    const lists: readonly (readonly [string, RegExp])[] = [
      [`${wait},${call}`, /it is operation 2 of command/],
      [`${callSeq}+${callSeq},${wait}`, /is not how it ended/],
      [`${resultSeq}+${resultSeq},${wait}`, /it is res\.accounts/],
      [`${call},${wait.split('~')[0]}~${resultSeq}`, /is not how it ended/],
      [`${call},${callSeq}`, /it is cmd\.accounts/],
      [`${call},999999`, /there is no such record/],
      [call, /its digests do not fit/],
      ['x', /its digests do not fit/],
    ];
    for (const [text, detail] of lists)
      await foundWith(restart(0), (each) => withHeader(each, HEADER.kept, text), 'callsDiffer', detail);
  });

  it('finds digests that are others, and a result that says others', async () => {
    const other = (record: Copied): Copied => {
      const body = JSON.parse(record.data) as Restart;
      const digests = body.digests.map(() => '0'.repeat(64));
      return { ...record, data: JSON.stringify({ ...body, digests }) };
    };
    for (const i of [0, 1]) await foundWith(restart(i), other, 'callsDiffer', /its digest is another one/);
    const results = log.filter(({ subject }) => subject === 'res.stepper.follow.ann');
    const last = results.at(-1) as Copied;
    assert.match(headerOf(last, HEADER.calls) ?? '', /^\d\./);
    await foundWith(
      last,
      (each) => withHeader(each, HEADER.calls, '2.00000000000000000000000000000000'),
      'callsDiffer',
      /of its handler's calls/,
    );
  });
});
