import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { NatsConnection } from 'nats';
import { readModule } from '../../../broker/supervisor/manifest-file.js';
import {
  type Decided,
  type DiffOptions,
  type DiffReport,
  diffModule,
  type OutcomeDifference,
} from '../../../replay/index.js';
import type { Result } from '../../../schemas/result.js';
import { manifest } from '../../fixtures/modules/till/manifest.js';
import { brokerStatus } from '../../support/broker-status.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { failure, success } from '../../support/either.js';
import { connectOperator } from '../../support/log-checks.js';
import { writeModule } from '../../support/module-dir.js';
import { moduleCommand } from '../../support/modules.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';

describe('recorded commands, handled by another version', () => {
  let home: TempDir;
  let broker: TestBroker;
  let nc: NatsConnection;
  let lastSeq: number;
  const wholes = new Map<string, ReturnType<typeof diff>>();

  const call = async (address: string, amount: number): Promise<Result> => {
    const reply = await nc.request(`call.${address}`, JSON.stringify({ amount }), { timeout: 20_000 });
    return reply.json<Result>();
  };

  /** A version of the module in a directory of its own. */
  const version = async (variant: string, change: object = {}): Promise<string> => {
    const dir = await writeModule(join(home.path, variant || 'first'), 'till', {
      ...manifest,
      version: '2.0.0',
      ...change,
    });
    writeFileSync(join(dir, 'variant'), variant);
    return dir;
  };
  const options = async (variant: string, more: Partial<DiffOptions> = {}): Promise<DiffOptions> => ({
    ...{ nc, version: success(readModule(await version(variant))) },
    ...more,
  });
  const diff = async (
    variant: string,
    more: Partial<DiffOptions> = {},
  ): Promise<{ report: DiffReport; differences: readonly OutcomeDifference[] }> => {
    const differences: OutcomeDifference[] = [];
    const onDifference = (difference: OutcomeDifference): void => void differences.push(difference);
    const report = success(await diffModule(await options(variant, { ...more, onDifference }))());
    assert.equal(
      report.commands,
      report.same +
        report.different +
        report.newlyAccepted +
        report.newlyRejected +
        report.stopped +
        report.notDecided,
    );
    return { report, differences };
  };
  /** The same for all commands, once for a variant. */
  const whole = (variant: string): ReturnType<typeof diff> => {
    const known = wholes.get(variant) ?? diff(variant);
    wholes.set(variant, known);
    return known;
  };
  const brief = (differences: readonly OutcomeDifference[]): readonly (readonly [string, string, string])[] =>
    differences.map(({ kind, action, agent }) => [kind, action, agent]);

  /** Ten commands that the code decided, and one that it did not. */
  before(async () => {
    home = tempDir();
    broker = await startBroker({ shipped: ['accounts'] });
    const { code, stderr } = await moduleCommand(broker, 'load', await version('', { version: '1.0.0' }));
    assert.equal(code, 0, stderr);
    nc = await connectOperator(broker.dataDir);
    await call('accounts.deposit.ann', 100);
    for (const amount of [10, 60, 13, 500]) await call('till.put.ann', amount);
    for (const amount of [40, 70, 5]) await call('till.buy.ann', amount);
    for (const amount of [60, 1]) await call('till.put.bob', amount);
    const wrong = await nc.request('call.till.put.bob', '{"amount":"x"}', { timeout: 20_000 });
    assert.equal(wrong.json<{ error: { code: string } }>().error.code, 'PAYLOAD_INVALID');
    const past = await nc.request('call.till.put.bob', '{"amount":1}', { timeout: 20_000 });
    assert.equal(past.json<Result>().status, 'ok');
    lastSeq = (await whole('')).report.to;
  });
  after(async () => {
    await nc?.close();
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  test('come out the same where nothing that matters has changed, also with calls', async () => {
    const { report, differences } = await whole('');
    assert.deepEqual(differences, []);
    const { module, version: of, from, commands, same, unanswered } = report;
    assert.deepEqual(
      { module, of, from, commands, same, unanswered },
      { module: 'till', of: '2.0.0', from: 1, commands: 11, same: 11, unanswered: 0 },
    );
  });

  test('are told apart: newly rejected, newly accepted, and different, with what differs', async () => {
    const strict = await whole('strict');
    assert.deepEqual(brief(strict.differences), [
      ['newlyRejected', 'put', 'ann'],
      ['different', 'put', 'ann'],
      ['newlyRejected', 'put', 'bob'],
    ]);
    assert.deepEqual([strict.report.newlyRejected, strict.report.different, strict.report.same], [2, 1, 8]);
    const [rejected, reworded] = strict.differences;
    assert.ok(rejected?.kind === 'newlyRejected' && reworded?.kind === 'different');
    assert.deepEqual(rejected.recorded, {
      status: 'ok',
      data: { total: 70 },
      events: [{ name: 'took', data: { amount: 60 } }],
      commands: [],
    } satisfies Decided);
    assert.deepEqual(reworded.changes, [
      { path: 'error.message', from: '500 is above 100', to: '500 is above 50' },
    ]);
    const lenient = await diff('lenient');
    assert.deepEqual(brief(lenient.differences), [['newlyAccepted', 'put', 'ann']]);
    const fee = await whole('fee');
    assert.deepEqual(
      fee.differences.map((each) => (each.kind === 'different' ? each.changes : each.kind)),
      [
        [
          { path: 'data.total', from: 70, to: 69 },
          { path: 'events[0].data.amount', from: 60, to: 59 },
        ],
        [
          { path: 'data.total', from: 60, to: 59 },
          { path: 'events[0].data.amount', from: 60, to: 59 },
        ],
      ],
    );
  });

  test('are decided on what is recorded, or, when asked for, on what came of those before', async () => {
    // The one after the fee: its total is one less only where the fee is in the state.
    assert.equal((await whole('fee')).report.different, 2);
    const cascaded = await diff('fee', { cascade: true });
    assert.deepEqual(brief(cascaded.differences), [
      ['different', 'put', 'ann'],
      ['different', 'put', 'ann'],
      ['different', 'put', 'bob'],
      ['different', 'put', 'bob'],
      ['different', 'put', 'bob'],
    ]);
  });

  test('can be those of one agent, or of a range, on the state that came before it', async () => {
    const bobs = await diff('fee', { agent: 'bob' });
    assert.deepEqual([bobs.report.commands, bobs.report.different], [4, 1]);
    const [first, second] = (await whole('fee')).differences;
    const range = await diff('fee', { from: (first?.seq ?? 0) + 1, to: second?.seq ?? 0 });
    assert.deepEqual(
      range.differences.map(({ seq }) => seq),
      [second?.seq],
    );
    assert.ok(range.report.commands < 11);
    const one = await diff('fee', { from: second?.seq ?? 0, to: second?.seq ?? 0, cascade: true });
    assert.deepEqual([one.report.commands, one.report.different], [1, 1]);
    assert.equal((await diff('fee', { from: lastSeq + 100 })).report.commands, 0);
  });

  test('a call that was not made before, or with other content, is told and not made', async () => {
    const before = await call('accounts.deposit.ann', 1);
    const dear = await diff('dear');
    assert.equal(dear.report.stopped, 3);
    const [stopped] = dear.differences;
    assert.ok(stopped?.kind === 'stopped');
    const target = { module: 'accounts', name: 'withdraw', agent: 'ann' };
    assert.deepEqual(stopped.stopped, {
      ...{ why: 'call', n: 1 },
      made: { ...target, data: { amount: 41 } },
      recorded: { ...target, data: { amount: 40 } },
    });
    const gives = await diff('gives');
    assert.deepEqual(
      gives.differences.map((each) => each.kind === 'stopped' && each.stopped),
      // The one that the account refused makes no further call.
      Array.from({ length: 2 }, () => ({
        ...{ why: 'call', n: 2, recorded: null },
        made: { module: 'accounts', name: 'deposit', agent: 'ann', data: { amount: 1 } },
      })),
    );
    const free = await diff('free');
    assert.deepEqual(
      free.differences.map((each) => [
        each.kind,
        each.kind === 'different' && each.changes.map(({ path }) => path),
      ]),
      [
        ['different', ['callsNotMade']],
        ['newlyAccepted', false],
        ['different', ['callsNotMade']],
      ],
    );
    const now = await call('accounts.deposit.ann', 1);
    assert.ok(before.status === 'ok' && now.status === 'ok');
    assert.deepEqual(now.data, { balance: (before.data as { balance: number }).balance + 1 });
  });

  test('code that throws, ends its process or hangs fails its own command, and the others are compared', async () => {
    for (const [variant, code] of [
      ['throws', 'HANDLER_THREW'],
      ['exits', 'HANDLER_CRASHED'],
      ['loops', 'HANDLER_CRASHED'],
    ] as const) {
      const { report, differences } = await diff(variant, { hangMs: 1_000 });
      assert.deepEqual([report.commands, report.same], [11, 10], variant);
      const [only] = differences;
      assert.ok(only?.kind === 'newlyRejected' && only.now.status === 'failed');
      assert.equal(only.now.error.code, code);
    }
  });

  test('code reaches neither the network nor the disk', async () => {
    const reaches = await diff('reaches');
    assert.equal(reaches.report.stopped, 2);
    for (const each of reaches.differences)
      assert.ok(each.kind === 'stopped' && each.stopped.why === 'outside');
    const writes = await diff('writes');
    assert.deepEqual(brief(writes.differences), [['stopped', 'put', 'ann']]);
    assert.equal(existsSync(join(home.path, 'writes', 'written')), false);
  });

  test('code runs in a cage: it reads its own files, and none of the broker, of other processes or of people', async (t) => {
    const { cage } = await brokerStatus(broker.dataDir);
    if (cage.layers.some(({ layer, holds }) => layer === 'files' && !holds))
      return t.diagnostic('no layer of files');
    const pries = await options('pries', { dataDir: broker.dataDir });
    const own = join(home.path, 'pries', 'variant');
    const others = [
      join(home.path, 'first', 'variant'),
      join(broker.dataDir, 'keys', 'operator.nk'),
      join(broker.dataDir, 'broker.json'),
      `/proc/${broker.pid}/environ`,
    ];
    for (const path of others) readFileSync(path);
    writeFileSync(join(home.path, 'pries', 'paths'), [own, ...others].join('\n'));
    const { code, message } = failure(await diffModule(pries)());
    assert.equal(code, 'MODULE_CODE_UNAVAILABLE');
    assert.ok(message.includes(`${own} has 5 bytes`), message);
    for (const path of others) assert.ok(message.includes(`${path} is EACCES`), message);
  });

  test('code that does not load, or cannot fold what is recorded, is told', async () => {
    const broken = failure(await diffModule(await options('breaks'))());
    assert.equal(broken.code, 'MODULE_CODE_UNAVAILABLE');
    assert.match(broken.message, /this version is broken/);
    const forgets = failure(await diffModule(await options('forgets'))());
    assert.equal(forgets.code, 'FOLD_FAILED');
    assert.match(forgets.message, /record \d+ cannot be folded by till 2.0.0: what was that/);
  });
});
