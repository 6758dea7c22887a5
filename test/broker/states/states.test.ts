import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, headers as makeHeaders, type Msg, type NatsConnection } from 'nats';
import { connect as connectTally } from '../../../modules/client/open-tally.js';
import { accounts } from '../../../modules/package-modules.js';
import { Refused } from '../../../modules/sdk/refused.js';
import { startBroker, type TestBroker, tallystick } from '../../support/broker.js';
import { natsCli } from '../../support/nats-cli.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';

interface Got {
  readonly module: string;
  readonly agent: string;
  readonly seq: number;
  readonly time: string;
  readonly state: { readonly balance: number };
}

describe('a state is read without a record', () => {
  let home: TempDir;
  let broker: TestBroker;
  let nc: NatsConnection;

  before(async () => {
    home = tempDir();
    broker = await startBroker({ shipped: ['accounts', 'orders'], args: ['--durability', 'os'] });
    nc = await connect({ servers: broker.url });
  });

  after(async () => {
    await nc?.close();
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  const read = (subject: string, atLeast?: string, timeout = 20_000): Promise<Msg> => {
    const headers = makeHeaders();
    if (atLeast !== undefined) headers.set('Tally-At-Least', atLeast);
    return nc.request(`state.${subject}`, '', { headers, timeout });
  };
  const codeOf = (reply: Msg): string => reply.json<{ error: { code: string } }>().error.code;
  const deposit = async (agent: string, amount: number): Promise<string> => {
    const reply = await nc.request(`call.accounts.deposit.${agent}`, JSON.stringify({ amount }), {
      timeout: 20_000,
    });
    return reply.headers?.get('Tally-Result') ?? '';
  };
  const lastSeq = async (): Promise<number> => {
    const { stdout } = await tallystick(['status', '--json'], { dataDir: broker.dataDir });
    return (JSON.parse(stdout) as { log: { lastSeq: number } }).log.lastSeq;
  };

  it('by the stock command line: the state, its sequence and its time, as `agent get` prints them', async () => {
    const result = await deposit('alice', 5);
    const { stdout } = await natsCli(
      ['req', '--raw', 'state.accounts.alice', '', '-H', `Tally-At-Least:${result}`],
      { url: broker.url },
    );
    const got = JSON.parse(stdout) as Got;
    assert.deepEqual(
      [got.module, got.agent, `${got.seq}`, got.state.balance],
      ['accounts', 'alice', result, 5],
    );
    const here = await tallystick(['agent', 'get', 'accounts', 'alice', '--json'], {
      dataDir: broker.dataDir,
    });
    assert.equal(here.stdout.trim(), stdout.trim());
    const before = await lastSeq();
    for (let i = 0; i < 20; i++) await read('accounts.alice');
    assert.equal(await lastSeq(), before, 'reading stores nothing');
  });

  it('with Tally-At-Least a client reads its own write, every time', async () => {
    for (let i = 1; i <= 50; i++) {
      const result = await deposit('zoe', 1);
      const got = (await read('accounts.zoe', result)).json<Got>();
      assert.deepEqual([`${got.seq}`, got.state.balance], [result, i]);
    }
  });

  it('every refusal is typed', async () => {
    const cases: readonly (readonly [subject: string, atLeast: string | undefined, code: string])[] = [
      ['nobody.alice', undefined, 'MODULE_UNKNOWN'],
      ['accounts.nobody', undefined, 'AGENT_UNKNOWN'],
      ['accounts', undefined, 'AGENT_UNKNOWN'],
      ['accounts.a$b', undefined, 'NAME_INVALID'],
      ['acc$.alice', undefined, 'NAME_INVALID'],
      ['constructor.alice', undefined, 'MODULE_UNKNOWN'],
      ['accounts.alice', 'soon', 'HEADER_INVALID'],
      ['accounts.alice', '-1', 'HEADER_INVALID'],
      ['accounts.alice', '9007199254740991', 'SNAPSHOTS_BEHIND'],
    ];
    for (const [subject, atLeast, code] of cases) {
      const reply = await read(subject, atLeast);
      assert.equal(codeOf(reply), code, `${subject} ${atLeast}`);
      assert.match(reply.headers?.get('Nats-Service-Error') ?? '', new RegExp(`^${code}: `));
    }
    const other = makeHeaders();
    other.set('Tally-Deadline', '2030-01-01T00:00:00Z');
    assert.equal(
      codeOf(await nc.request('state.accounts.alice', '', { headers: other, timeout: 20_000 })),
      'HEADER_INVALID',
    );
  });

  it('requests that wait for a sequence hold up no call', async () => {
    const ended: string[] = [];
    const waiting = Array.from({ length: 60 }, () =>
      read('accounts.alice', '9007199254740991').then((reply) => ended.push(codeOf(reply))),
    );
    await deposit('bob', 1);
    await deposit('bob', 1);
    assert.deepEqual(ended, [], 'the calls have their results before a wait is over');
    await Promise.all(waiting);
    assert.deepEqual(new Set(ended), new Set(['SNAPSHOTS_BEHIND']));
  });

  it('I7 a token reads what its grants name, by nats, the SDK and the command line; and nothing else', async () => {
    const made = await tallystick(
      [
        'token',
        'create',
        'board',
        '--allow',
        'read accounts.shop-*',
        '--allow',
        'call accounts.*',
        '--out',
        join(home.path, 'board.token'),
      ],
      { dataDir: broker.dataDir },
    );
    assert.equal(made.code, 0, made.stderr);
    const token = join(home.path, 'board.token');
    const result = await deposit('shop-1', 9);
    const stock = await natsCli(['--nkey', token, 'req', '--raw', 'state.accounts.ship-1', ''], {
      url: broker.url,
    });
    assert.match(stock.stdout, /"NOT_ALLOWED".*token change board --add 'read accounts\.ship-1'/);
    const args = ['agent', 'get', 'accounts', 'shop-1', '--json', '--at-least', result, '--token', token];
    const got = await tallystick(args, { cwd: home.path });
    assert.equal(got.code, 0, got.stderr);
    assert.equal((JSON.parse(got.stdout) as Got).state.balance, 9);
    const refused = await tallystick(['agent', 'get', 'orders', 'o1', '--token', token], { cwd: home.path });
    assert.match(refused.stderr, /NOT_ALLOWED: .*`read orders\.o1`/);
    await using tally = await connectTally({ token });
    await tally.agent(accounts, 'shop-2').deposit({ amount: 4 });
    const state = await tally.state(accounts, 'shop-2');
    assert.equal(state?.state.balance, 4);
    assert.equal(await tally.state(accounts, 'shop-3'), undefined);
    const denied = await tally.state(accounts, 'alice').catch((thrown: unknown) => thrown);
    assert.ok(denied instanceof Refused);
    assert.equal(denied.code, 'NOT_ALLOWED');
  });

  it('a state of an unloaded module is read too', async () => {
    const unloaded = await tallystick(['module', 'unload', 'accounts', '--with-dependents'], {
      dataDir: broker.dataDir,
    });
    assert.equal(unloaded.code, 0, unloaded.stderr);
    assert.equal((await read('accounts.bob')).json<Got>().state.balance, 2);
  });
});
