import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { stepThrough } from '../../bin/jobs/stepper.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { connectOperator } from '../support/log-checks.js';
import type { ProgramResult } from '../support/run-program.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { tallystick } from './tallystick.js';

/** The code of the module, as it is built. */
const ACCOUNTS = join(import.meta.dirname, '..', '..', 'modules', 'accounts');

interface Step {
  readonly seq: number;
  readonly event: { readonly name: string };
  readonly changes: readonly object[];
  readonly state: { readonly balance: number };
}

const codeOf = ({ stderr }: ProgramResult): string =>
  (JSON.parse(stderr) as { error: { code: string } }).error.code;

describe('tallystick replay state and diff', () => {
  let home: TempDir;
  let broker: TestBroker;
  let steps: readonly Step[];

  const run = (...args: readonly string[]): Promise<ProgramResult> =>
    tallystick([...args, '--data', broker.dataDir], { cwd: home.path });
  const state = (...args: readonly string[]): Promise<ProgramResult> =>
    run('replay', 'state', 'accounts', 'alice', ...args);
  before(async () => {
    home = tempDir();
    broker = await startBroker();
    const nc = await connectOperator(broker.dataDir);
    for (const [action, amount] of [
      ['deposit', 6_500],
      ['deposit', 700],
      ['withdraw', 300],
    ] as const) {
      await nc.request(`call.accounts.${action}.alice`, `{"amount":${amount}}`, { timeout: 20_000 });
    }
    await nc.close();
    const { stdout } = await state('--step', '--json');
    steps = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Step);
  });
  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  it('prints the state now and then, as agent get does', async () => {
    const [first] = steps;
    const at = `${first?.seq}`;
    const [then, got, now] = await Promise.all([
      state('--at', at, '--json'),
      run('agent', 'get', 'accounts', 'alice', '--at', at, '--json'),
      state(),
    ]);
    assert.deepEqual([then.code, then.stderr, then.stdout], [0, '', got.stdout]);
    assert.deepEqual(JSON.parse(then.stdout).state, first?.state);
    assert.match(
      now.stdout,
      /^alice of accounts, at \d+, .*Z, schema 1\nas it was at \d+, .*\n{\n {2}"balance": 6900,/,
    );
  });

  it('--step prints each record with what it changes, without colours in a pipe', async () => {
    assert.deepEqual(
      steps.map(({ event, changes, state: { balance } }) => [event.name, changes, balance]),
      [
        ['deposited', [{ path: 'balance', from: 0, to: 6_500 }], 6_500],
        ['deposited', [{ path: 'balance', from: 6_500, to: 7_200 }], 7_200],
        ['withdrawn', [{ path: 'balance', from: 7_200, to: 6_900 }], 6_900],
      ],
    );
    const [, second] = steps;
    const { stdout } = await state('--step', '--from', `${second?.seq}`, '--to', `${second?.seq}`);
    assert.match(
      stdout,
      new RegExp(`^${second?.seq} {2}.*Z {2}deposited {"amount":700}\n {2}~ balance {2}6500 → 7200\n$`),
    );
  });

  it('--watch tells each change of a part, --bisect where a condition holds first, and exit code 1 that it never does', async () => {
    const [first, second, third] = steps;
    const [watched, became, unchanged, held, never] = await Promise.all([
      state('--watch', 'balance', '--json'),
      state('--watch', 'balance', '--equals', '7200'),
      state('--watch', 'balance', '--equals', '1'),
      state('--bisect', 'state.balance >= 7000', '--json'),
      state('--bisect', 'state.balance > 9000', '--json'),
    ]);
    const lines = watched.stdout.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { seq: number }).seq),
      [first?.seq, second?.seq, third?.seq],
    );
    assert.match(
      became.stdout,
      new RegExp(`^${second?.seq} {2}.*6500 → 7200 {2}deposited {"amount":700}\n$`),
    );
    assert.deepEqual(
      [unchanged.code, unchanged.stdout],
      [1, 'balance of alice of accounts never became 1\n'],
    );
    assert.equal(held.code, 0);
    const { seq, checked, before: was } = JSON.parse(held.stdout);
    assert.deepEqual([seq, checked, was.balance], [second?.seq, 2, 6_500]);
    assert.equal(never.code, 1);
    assert.deepEqual({ ...JSON.parse(never.stdout), seconds: 0 }, { seq: null, checked: 3, seconds: 0 });
  });

  it('refuses what cannot be meant, with a code and the reason', async () => {
    const cases = [
      [['--bisect', 'state.balance = 1'], 2, 'EXPRESSION_INVALID', /column 15: = is no operator/],
      [['--bisect', 'state.balance'], 2, 'EXPRESSION_INVALID', /must be true or false/],
      [['--watch', 'balance', '--equals', '{'], 2, 'USAGE', /not JSON/],
      [
        ['--watch', 'balence'],
        2,
        'EXPRESSION_INVALID',
        /no state of .* has balence; the last state has .*balance/,
      ],
      [['--watch', 'balance.x'], 2, 'EXPRESSION_INVALID', /no state of .* has balance\.x/],
      [['--watch', 'balence', '--equals', '1'], 2, 'EXPRESSION_INVALID', /no state of .* has balence/],
      [['--watch', '__proto__'], 2, 'EXPRESSION_INVALID', /no state of .* has __proto__/],
      [['--step', '--watch', 'balance'], 2, 'USAGE', /--step and --watch/],
      [['--from', '1'], 2, 'USAGE', /--from and --to/],
      [['--step', '--to', '1'], 0, '', /^$/],
    ] as const;
    const check = async ([args, exit, code, said]: (typeof cases)[number]): Promise<void> => {
      const result = await state(...args, '--json');
      assert.deepEqual([result.code, result.stdout], [exit, ''], args.join(' '));
      if (exit > 0) assert.equal(codeOf(result), code);
      assert.match(result.stderr, said);
    };
    const checkNobody = async (): Promise<void> => {
      const nobody = await run('replay', 'state', 'accounts', 'nobody', '--step', '--json');
      assert.deepEqual([nobody.code, nobody.stdout, codeOf(nobody)], [1, '', 'AGENT_UNKNOWN']);
    };
    await Promise.all([...cases.map(check), checkNobody()]);
  });

  it('diff exits 0 where all is the same, and 1 with the differences where it is not', async () => {
    const diff = (...args: readonly string[]): Promise<ProgramResult> => run('replay', 'diff', ...args);
    const same = await diff('accounts', '--module', ACCOUNTS, '--json');
    assert.deepEqual([same.code, same.stderr], [0, '']);
    const report = JSON.parse(same.stdout) as Record<string, unknown>;
    assert.deepEqual(
      [report.module, report.commands, report.same, report.differences, report.more],
      ['accounts', 3, 3, [], 0],
    );
    const next = join(home.path, 'next');
    mkdirSync(next);
    const manifest = JSON.parse(readFileSync(join(ACCOUNTS, 'manifest.json'), 'utf8')) as object;
    writeFileSync(join(next, 'manifest.json'), JSON.stringify({ ...manifest, version: '1.1.0' }));
    writeFileSync(
      join(next, 'index.js'),
      `import accounts from ${JSON.stringify(join(ACCOUNTS, 'index.js'))};
      const { deposit } = accounts.actions;
      const decide = (state, command) =>
        command.data.amount > 600
          ? { _tag: 'Left', left: { code: 'LIMIT_EXCEEDED', message: '600 at most' } }
          : deposit.decide(state, command);
      const manifest = { ...accounts.manifest, version: '1.1.0' };
      export default { ...accounts, manifest, actions: { ...accounts.actions, deposit: { decide } } };`,
    );
    const other = await diff('--module', next, '--limit', '1');
    assert.equal(other.code, 1, other.stderr);
    assert.match(
      other.stdout,
      /^3 commands of accounts, 1 to \d+, handled by 1\.1\.0 on the recorded history in /,
    );
    assert.match(other.stdout, /deposit of alice is newly rejected\n {2}~ status {2}"ok" → "rejected"/);
    assert.match(other.stdout, /\n1 more are not shown/);
    const wrong = await diff('orders', '--module', ACCOUNTS, '--json');
    assert.deepEqual([wrong.code, codeOf(wrong)], [2, 'USAGE']);
  });
});

describe('stepping by keys', () => {
  it('goes forth and back, makes no step before it is asked for, and ends with q', async () => {
    let made = 0;
    async function* numbers(): AsyncGenerator<number, void, void> {
      for (; made < 3; ) yield ++made;
    }
    async function* keys(): AsyncGenerator<string, void, void> {
      assert.equal(made, 1);
      yield 'n';
      assert.equal(made, 2);
      yield '\u001b[D';
      yield 'p';
      yield 'x\rns\u001b[C';
      yield 'qn';
      assert.fail('it went on');
    }
    const seen: unknown[] = [];
    const shown = await stepThrough(numbers(), keys(), {
      show: (step) => seen.push(step),
      showWhole: (step) => seen.push(`whole ${step}`),
      say: (line) => seen.push(line.split(':')[0]),
    });
    assert.deepEqual(seen, [
      1,
      'n or enter',
      2,
      1,
      'that is the first',
      2,
      3,
      'whole 3',
      'that was the last',
    ]);
    assert.equal(shown, 3);
  });
});
