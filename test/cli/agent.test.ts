import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startBroker, type TestBroker } from '../support/broker.js';
import type { ProgramResult } from '../support/run-program.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { tallystick } from './tallystick.js';

/** The code of the module, as it is built. */
const ACCOUNTS = join(import.meta.dirname, '..', '..', 'modules', 'accounts');

interface Got {
  readonly module: string;
  readonly agent: string;
  readonly seq: number;
  readonly time: string;
  readonly schema: number;
  readonly state: { readonly balance: number };
}

const codeOf = ({ stderr }: ProgramResult): string =>
  (JSON.parse(stderr) as { error: { code: string } }).error.code;

describe('tallystick agent', () => {
  let home: TempDir;
  let broker: TestBroker;

  const run = (args: readonly string[], env: Record<string, string> = {}): Promise<ProgramResult> =>
    tallystick(args, { cwd: home.path, env });
  const agent = (...args: readonly string[]): Promise<ProgramResult> =>
    run(['agent', ...args, '--data', broker.dataDir]);
  const json = async <T>(...args: readonly string[]): Promise<T> => {
    const { code, stdout, stderr } = await agent(...args, '--json');
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(stdout.trimEnd().split('\n').length, 1);
    return JSON.parse(stdout) as T;
  };
  const deposit = async (name: string, amount: number): Promise<void> => {
    const address = `accounts.deposit.${name}`;
    const { code, stderr } = await run(['call', address, `{"amount":${amount}}`, '--data', broker.dataDir]);
    assert.equal(code, 0, stderr);
  };

  /** Where the only result of an agent is in the log. */
  const resultOf = async (name: string): Promise<string> => {
    const filters = ['--agent', name, '--kind', 'res', '--json'];
    const { stdout } = await run(['replay', 'history', ...filters, '--data', broker.dataDir]);
    return `${(JSON.parse(stdout) as { seq: number }).seq}`;
  };

  before(async () => {
    home = tempDir();
    broker = await startBroker({ shipped: ['accounts', 'agents', 'orders'] });
    for (const [name, amount] of [
      ['alice', 5],
      ['alicia', 7],
      ['bob', 9],
    ] as const) {
      await deposit(name, amount);
    }
  });
  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  it('get prints the state of an agent with the sequence of the result that changed it last', async () => {
    const seq = await resultOf('alice');
    const { code, stdout: line } = await agent('get', 'accounts', 'alice', '--json', '--at-least', seq);
    assert.equal(code, 0);
    const { time } = JSON.parse(line) as Got;
    assert.equal(
      line,
      `{"module":"accounts","agent":"alice","seq":${seq},"time":"${time}","schema":1,` +
        '"state":{"balance":5,"outgoing":{}}}\n',
    );
    assert.ok(Math.abs(Date.now() - Date.parse(time)) < 60_000, time);
    const text = (await agent('get', 'accounts', 'alice')).stdout;
    assert.match(text, new RegExp(`^alice of accounts, at ${seq}, .*Z, schema 1\n{\n {2}"balance": 5,`));
  });

  it('get of what is not there exits 1 and says what is missing', async () => {
    for (const [args, code, said] of [
      [['accounts', 'nobody'], 'AGENT_UNKNOWN', /nothing has happened to nobody of accounts/],
      [['accounts'], 'AGENT_UNKNOWN', /nothing has happened to accounts itself/],
      [['nothing', 'alice'], 'SNAPSHOTS_UNAVAILABLE', /no snapshots of nothing/],
      [
        ['accounts', 'alice', '--at-least', '999999', '--timeout', '50ms'],
        'SNAPSHOTS_BEHIND',
        /did not reach/,
      ],
    ] as const) {
      const result = await agent('get', ...args, '--json');
      assert.deepEqual([result.code, result.stdout, codeOf(result)], [1, '', code]);
      assert.match(result.stderr, said);
    }
  });

  it('get --at prints what it was at a sequence, a time, or that long ago', async () => {
    interface Past extends Got {
      readonly at: number;
      readonly folded: number;
    }
    const first = await json<Got>('get', 'accounts', 'alice');
    await deposit('alice', 10);
    const past = await json<Past>('get', 'accounts', 'alice', '--at', `${first.seq}`);
    assert.deepEqual(
      [past.seq, past.schema, past.state, past.at, past.folded],
      [first.seq, 1, first.state, first.seq, 1],
    );
    // By the clock of the server, whose sequences these are.
    assert.deepEqual((await json<Past>('get', 'accounts', 'alice', '--at', past.time)).state, first.state);
    const now = await json<Past>('get', 'accounts', 'alice', '--at', '0s');
    assert.equal(now.state.balance, 15);
    assert.deepEqual(
      await json('get', 'accounts', 'alice', '--at', `${first.seq}`, '--module', ACCOUNTS),
      past,
    );
    const { stdout } = await agent('get', 'accounts', 'alice', '--at', `${now.at}`);
    assert.match(
      stdout,
      new RegExp(`^alice of accounts, at .*\nas it was at ${now.at}, 0 records folded\n{`),
    );
    const foreign = join(home.path, 'foreign');
    mkdirSync(foreign);
    const manifest = JSON.parse(readFileSync(join(ACCOUNTS, 'manifest.json'), 'utf8')) as object;
    writeFileSync(join(foreign, 'manifest.json'), JSON.stringify({ ...manifest, start: { command: ['x'] } }));
    for (const [args, code, said] of [
      [['alice', '--at', '9', '--module', foreign], 'MODULE_CODE_UNAVAILABLE', /in another language/],
      [['alice', '--at', `${first.seq - 1}`], 'AGENT_UNKNOWN', /to alice of accounts by \d+/],
    ] as const) {
      const result = await agent('get', 'accounts', ...args, '--json');
      assert.deepEqual([result.stdout, codeOf(result)], ['', code]);
      assert.match(result.stderr, said);
    }
  });

  it('list goes through all agents page by page, and says how many there are', async () => {
    interface Page {
      readonly agents: readonly { readonly agent: string; readonly seq: number }[];
      readonly next: string | null;
      readonly count: number;
    }
    const names = ({ agents }: Page): readonly string[] => agents.map(({ agent: one }) => one);
    const first = await json<Page>('list', 'accounts', '--limit', '2');
    assert.deepEqual([names(first), first.next, first.count], [['alice', 'alicia'], 'alicia', 3]);
    const second = await json<Page>('list', 'accounts', '--limit', '2', '--after', 'alicia');
    assert.deepEqual([names(second), second.next, second.count], [['bob'], null, 3]);
    assert.deepEqual(names(await json<Page>('list', 'accounts', '--prefix', 'alic')), ['alice', 'alicia']);
    const { stdout } = await agent('list', 'accounts', '--limit', '1');
    assert.match(stdout, /^AGENT +SEQ +TIME\nalice +\d+ .*\n\n1 of 3 agents; the next: --after alice\n$/);
  });

  it('list --where finds agents by a declared field, and refuses another one', async () => {
    interface Found {
      readonly agents: readonly { readonly agent: string }[];
      readonly next: string | null;
    }
    const order = async (name: string, item: string): Promise<void> => {
      const input = JSON.stringify({ item, quantity: 1, unitPrice: 1, customer: 'alice' });
      await run(['call', `orders.place.${name}`, input, '--data', broker.dataDir]);
    };
    await order('order-1', 'nails');
    await order('order-2', 'nails');
    const last = await resultOf('order-2');
    const found = (...args: readonly string[]): Promise<Found> =>
      json<Found>('list', 'orders', '--where', 'order.status=refused', '--at-least', last, ...args);
    const first = await found('--limit', '1');
    assert.deepEqual([first.agents.map(({ agent: one }) => one), first.next], [['order-1'], 'order-1']);
    const second = await found('--limit', '1', '--after', 'order-1');
    assert.deepEqual([second.agents.map(({ agent: one }) => one), second.next], [['order-2'], null]);
    const none = await json<Found>('list', 'orders', '--where', 'order.status=confirmed');
    assert.deepEqual(none, { agents: [], next: null });
    const { stdout } = await agent('list', 'orders', '--where', 'order.status=refused', '--limit', '1');
    assert.match(stdout, /order-1 .*\n\n1 with order.status=refused; the next: --after order-1\n$/);
    const early = await agent('list', 'orders', '--at-least', '999999', '--timeout', '50ms', '--json');
    assert.deepEqual([early.code, early.stdout, codeOf(early)], [1, '', 'SNAPSHOTS_BEHIND']);
    for (const [where, exit, code, said] of [
      ['status=open', 1, 'FIELD_NOT_INDEXED', /no index of .*status.*: it has order.status/],
      ['status', 2, 'USAGE', /FIELD=VALUE/],
    ] as const) {
      const refused = await agent('list', 'orders', '--where', where, '--json');
      assert.deepEqual([refused.code, codeOf(refused)], [exit, code]);
      assert.match(refused.stderr, said);
    }
    const other = await agent('list', 'accounts', '--where', 'balance=9', '--json');
    assert.match(other.stderr, /it has no index/);
  });

  it('a broker that is named by its address is asked for a state, and where its snapshots are', async () => {
    const { stdout: values } = await run(['env', '--json', '--data', broker.dataDir]);
    const env = JSON.parse(values) as Record<string, string>;
    const { stdout } = await run(['agent', 'get', 'accounts', 'bob', '--json'], env);
    assert.equal((JSON.parse(stdout) as Got).state.balance, 9);
    const asGuest = await run(['agent', 'get', 'accounts', 'bob', '--server', broker.url, '--json']);
    assert.equal((JSON.parse(asGuest.stdout) as Got).state.balance, 9);
    const nobody = await run(['agent', 'get', 'accounts', 'none', '--server', broker.url, '--json']);
    assert.deepEqual([nobody.code, codeOf(nobody)], [1, 'AGENT_UNKNOWN']);
    const listed = await run(['agent', 'list', 'accounts', '--json'], env);
    assert.equal((JSON.parse(listed.stdout) as { count: number }).count, 3);
    const list = await run(['agent', 'list', 'accounts', '--server', broker.url, '--json']);
    assert.deepEqual([list.code, codeOf(list)], [3, 'SERVER_REFUSED']);
  });

  it('needs no broker, also after one was killed', async () => {
    await broker.kill();
    assert.equal((await json<Got>('get', 'accounts', 'bob')).state.balance, 9);
    assert.equal((await json<{ count: number }>('list', 'accounts')).count, 3);
  });
});
