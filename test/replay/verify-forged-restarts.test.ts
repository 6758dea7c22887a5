import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { verifyLog } from '../../replay/verify/verify-log.js';
import { HEADER } from '../../schemas/headers.js';
import type { Restart } from '../../schemas/restart.js';
import type { Verification } from '../../schemas/verification.js';
import type { Operation } from '../fixtures/modules/stepper/index.js';
import { manifest } from '../fixtures/modules/stepper/manifest.js';
import { startBroker } from '../support/broker.js';
import { success } from '../support/either.js';
import { connectOperator } from '../support/log-checks.js';
import { writeModule } from '../support/module-dir.js';
import { startServer, type TestServer } from '../support/server.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { type Copied, copyOf, headerOf, storeLog, withHeader } from './log-copy.js';

describe('verify on a log with restarts', () => {
  let log: readonly Copied[];
  let server: TestServer;
  let nc: NatsConnection;

  before(async () => {
    await using dir = tempDir();
    const plans = join(dir.path, 'plans');
    mkdirSync(plans);
    const module = await writeModule(join(dir.path, 'stepper'), 'stepper', manifest);
    await using broker = await startBroker({
      shipped: ['accounts'],
      args: ['--durability', 'os', '--cage', 'off', '--module', module],
    });
    const operator = await connectOperator(broker.dataDir);
    const guest = await connect({ servers: broker.url });
    const operations: readonly Operation[] = [{ deposit: 1, agent: 'till' }, { sleep: 1 }, { sleep: 2 }];
    const plan = join(plans, 'plan.json');
    const write = (end: 'ok' | 'throws'): void =>
      writeFileSync(plan, JSON.stringify({ url: '', operations, atOnce: false, end }));
    write('throws');
    const sent = await guest.request('cmd.stepper.follow.ann', JSON.stringify({ plan }));
    let { seq } = sent.json<{ seq: number }>();
    for (const end of ['throws', 'ok'] as const) {
      await operator.request(`result.${seq}`, '', { timeout: 20_000 });
      write(end);
      const reply = await guest.request(`restart.${seq}`, '{"from":3}', { timeout: 20_000 });
      ({
        data: { newCommand: seq },
      } = reply.json<{ data: { newCommand: number } }>());
    }
    log = await waitFor('the last handler to end', async () => {
      const found = await copyOf(operator);
      return found.filter(({ subject }) => subject.startsWith('res.stepper.')).length === 3 && found;
    });
    await Promise.all([guest.close(), operator.close()]);
    server = await startServer();
    nc = await connect({ servers: server.url });
  });
  after(async () => {
    await nc?.close();
    await server?.[Symbol.asyncDispose]();
  });

  const verify = async (records: readonly Copied[]): Promise<Verification> => {
    await storeLog(nc, records);
    return success(await verifyLog({ nc, graceMs: 0 })()).verification;
  };
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
      const part = success(await verifyLog({ nc, from, graceMs: 0 })()).verification;
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
