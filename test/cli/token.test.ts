import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { authenticatorOf } from '../../link/nkey.js';
import { readToken } from '../../link/token-file.js';
import { connect as connectTally } from '../../modules/client/open-tally.js';
import { Refused } from '../../modules/sdk/refused.js';
import {
  ACCESS,
  type Principal,
  type PrincipalList,
  type TokenChange,
} from '../../schemas/access-requests.js';
import type { AuditLine } from '../../schemas/audit-record.js';
import { OPS } from '../../schemas/operate.js';
import type { HistoryLine } from '../../schemas/record.js';
import { accounts } from '../../modules/package-modules.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { natsCli, natsSpawn } from '../support/nats-cli.js';
import type { ProgramResult } from '../support/run-program.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { tallystick } from './tallystick.js';

describe('tokens', () => {
  let broker: TestBroker;
  let home: TempDir;

  before(async () => {
    home = tempDir();
    broker = await startBroker({ shipped: ['accounts', 'orders'], args: ['--durability', 'os'] });
  });

  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  const run = (...args: readonly string[]): Promise<ProgramResult> => tallystick(args, { cwd: home.path });
  const asOperator = (...args: readonly string[]): Promise<ProgramResult> =>
    run(...args, '--data', broker.dataDir);
  const ok = async (asked: Promise<ProgramResult>): Promise<string> => {
    const { code, stdout, stderr } = await asked;
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const fileOf = (name: string): string => join(home.path, `${name}.token`);
  const create = async (
    name: string,
    allow: readonly string[],
    ...more: readonly string[]
  ): Promise<string> => {
    const allowed = allow.flatMap((grant) => ['--allow', grant]);
    await ok(asOperator('token', 'create', name, ...allowed, ...more));
    return fileOf(name);
  };
  const nats = (token: string, ...args: readonly string[]): Promise<ProgramResult> =>
    natsCli(['--nkey', token, ...args], { url: broker.url });
  const open = (token: string): Promise<NatsConnection> => {
    const read = readToken(token);
    if (read._tag === 'Left') throw new Error(read.left.message);
    return connect({
      servers: read.right.url,
      authenticator: authenticatorOf(read.right.seed),
      reconnect: false,
    });
  };
  const history = async (...args: readonly string[]): Promise<readonly HistoryLine[]> =>
    (await ok(asOperator('replay', 'history', '--json', ...args)))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as HistoryLine);

  it('a token is a file that only its owner reads, and the stock command line calls with it', async () => {
    const token = await create('ci', ['call accounts.*']);
    assert.equal(statSync(token).mode & 0o777, 0o600);
    const called = await nats(token, 'req', '--raw', 'call.accounts.deposit.alice', '{"amount":5}');
    assert.match(called.stdout, /"balance":5/);
    const [command] = await history('--agent', 'alice', '--limit', '1');
    assert.equal(command?.sender, '_ci');
    const stored = await nats(token, 'pub', 'cmd.accounts.deposit.alice', '{"amount":5}');
    assert.match(stored.stderr, /Permissions Violation for Publish to "cmd\.accounts\.deposit\.alice"/);
  });

  it('I7 a request for another module is refused by name, by the stock command line, ours and the SDK', async () => {
    const token = await create('clerk', ['call accounts.*']);
    const stock = await nats(token, 'pub', 'call.orders.place.o1', '{}');
    assert.equal(stock.code, 1);
    assert.match(stock.stderr, /Permissions Violation for Publish to "call\.orders\.place\.o1"/);
    const ours = await run('call', 'orders.place', '{}', '--agent', 'o1', '--token', token);
    assert.equal(ours.code, 1);
    assert.match(
      ours.stderr,
      /NOT_ALLOWED: .*`call orders\.place\.o1`.*token change .* --add 'call orders\.place\.o1'/,
    );
    await using tally = await connectTally({ token });
    assert.deepEqual(await tally.agent(accounts, 'bob').deposit({ amount: 3 }), { balance: 3 });
    const refused = await tally
      .agent(accounts, 'bob')
      .deposit.send({ amount: 3 })
      .catch((error: unknown) => error);
    assert.ok(refused instanceof Refused);
    assert.equal(refused.code, 'NOT_ALLOWED');
  });

  it('a grant for agents by a part of their name is judged by the broker, and its refusal says what to type', async () => {
    const token = await create('shop', ['call accounts.deposit.shop-*']);
    const allowed = await nats(token, 'req', '--raw', 'call.accounts.deposit.shop-1', '{"amount":1}');
    assert.match(allowed.stdout, /"status":"ok"/);
    const refused = await nats(token, 'req', '--raw', 'call.accounts.deposit.ship-1', '{"amount":1}');
    assert.match(refused.stdout, /"NOT_ALLOWED"/);
    assert.match(refused.stdout, /token change shop --add 'call accounts\.deposit\.ship-1'/);
    await ok(asOperator('token', 'change', 'shop', '--add', 'call accounts.deposit.ship-1'));
    const now = await nats(token, 'req', '--raw', 'call.accounts.deposit.ship-1', '{"amount":1}');
    assert.match(now.stdout, /"status":"ok"/);
    await ok(asOperator('token', 'change', 'shop', '--remove', 'call accounts.deposit.ship-1'));
    const again = await nats(token, 'req', '--raw', 'call.accounts.deposit.ship-1', '{"amount":1}');
    assert.match(again.stdout, /"NOT_ALLOWED"/);
  });

  it('an operator whose token is revoked does nothing more, also by requests that were on their way', async () => {
    const nc = await open(await create('boss', ['operate admin']));
    // One connection: the broker gets the acts behind the revocation, and before the connection is closed.
    nc.publish(ACCESS.revoke, '{"name":"boss"}');
    nc.publish(OPS.moduleUnload, '{"name":"accounts"}');
    nc.publish(OPS.moduleRemove, '{"name":"accounts","unload":true}');
    await nc.closed();
    const refused = await waitFor('the audit of both acts', async () => {
      const { stdout } = await asOperator(
        'audit',
        'list',
        '--principal',
        'boss',
        '--kind',
        'module',
        '--json',
      );
      const lines = stdout.trim().split('\n').filter(Boolean);
      return lines.length >= 2 ? lines.map((line) => JSON.parse(line) as AuditLine) : undefined;
    });
    assert.deepEqual(new Set(refused.map(({ outcome }) => outcome)), new Set(['NOT_ALLOWED']));
    const { modules } = JSON.parse(await ok(asOperator('module', 'list', '--json'))) as {
      readonly modules: readonly { readonly name: string; readonly state: string }[];
    };
    assert.equal(modules.find(({ name }) => name === 'accounts')?.state, 'loaded');
  });

  it('a revoked token loses its open connections and opens no other', async () => {
    const token = await create('gone', ['call accounts.*', 'listen accounts.*']);
    const nc = await open(token);
    await using listening = natsSpawn(['--nkey', token, '--no-context', 'sub', 'live.evt.accounts.>'], {
      url: broker.url,
    });
    await listening.line(/Subscribing/);
    const closed = nc.closed();
    await ok(asOperator('token', 'revoke', 'gone'));
    await closed;
    await assert.rejects(open(token), /Authorization Violation/i);
    const late = await nats(token, 'req', 'call.accounts.balance.alice', '{}');
    assert.match(late.stderr, /Authorization Violation/i);
    const unknown = await asOperator('token', 'show', 'gone');
    assert.match(unknown.stderr, /PRINCIPAL_UNKNOWN/);
  });

  it('a token that is over is cut off, refused, and listed as over', async () => {
    const token = await create('short', ['call accounts.*'], '--ttl', '1h');
    const nc = await open(token);
    await ok(asOperator('token', 'change', 'short', '--ttl', '1s'));
    await nc.closed();
    const { expires } = JSON.parse(await ok(asOperator('token', 'show', 'short', '--json'))) as Principal;
    assert.ok(Date.now() >= Date.parse(expires ?? ''), 'not before its end');
    await assert.rejects(open(token), /Authorization Violation/i);
    assert.match(await ok(asOperator('token', 'list')), /short .*\(over\)/);
  });

  it('rotate replaces the token: the old one is out, the new one has the same grants', async () => {
    const token = await create('turn', ['call accounts.*']);
    const before = readFileSync(token, 'utf8');
    const nc = await open(token);
    await ok(asOperator('token', 'rotate', 'turn'));
    await nc.closed();
    assert.notEqual(readFileSync(token, 'utf8'), before);
    assert.ok(!existsSync(`${token}.new`));
    const called = await nats(token, 'req', '--raw', 'call.accounts.balance.alice', '{}');
    assert.match(called.stdout, /"status":"ok"/);
  });

  it('no file is written over, and a name is given once', async () => {
    await create('once', ['call accounts.*']);
    const before = readFileSync(fileOf('once'), 'utf8');
    const twice = await asOperator('token', 'create', 'once', '--allow', 'call accounts.*');
    assert.match(twice.stderr, /OUTPUT_FAILED: .*once\.token exists/);
    const other = await asOperator('token', 'create', 'once', '--allow', 'call x', '--out', 'other.token');
    assert.match(other.stderr, /PRINCIPAL_EXISTS/);
    assert.ok(!existsSync(join(home.path, 'other.token')));
    assert.equal(readFileSync(fileOf('once'), 'utf8'), before);
    const odd = await asOperator('token', 'create', 'operator', '--allow', 'call accounts.*');
    assert.match(odd.stderr, /NAME_INVALID/);
    const none = await asOperator('token', 'create', 'x', '--allow', 'fly accounts.*');
    assert.match(none.stderr, /GRANT_INVALID: .*call, send, schedule/);
  });

  it('the log tells who could do what at a time, and verify is clean', async () => {
    const made = JSON.parse(
      await ok(asOperator('token', 'create', 'told', '--allow', 'call accounts.*', '--ttl', '1h', '--json')),
    ) as TokenChange;
    await ok(asOperator('token', 'revoke', 'told'));
    const records = await history('--agent', 'told');
    const shown = records.map(({ kind, module, name, sender, data }) => [kind, module, name, sender, data]);
    const { allow, expires, publicKey } = made.principal;
    assert.deepEqual(shown, [
      ['cmd', '_access', 'grant', 'operator', { allow, expires, publicKey }],
      ['res', '_access', 'grant', 'gateway', { status: 'ok', data: {} }],
      ['cmd', '_access', 'revoke', 'operator', {}],
      ['res', '_access', 'revoke', 'gateway', { status: 'ok', data: {} }],
    ]);
    assert.equal(records[0]?.seq, made.recorded);
    assert.match(await ok(asOperator('replay', 'verify')), /clean: nothing is missing/);
  });

  it('roles of operate: a reader reads, a keeper also acts, an admin also gives tokens', async () => {
    const [reader, keeper, admin] = [
      await create('rae', ['operate reader']),
      await create('kay', ['operate keeper']),
      await create('ada', ['operate admin']),
    ];
    const refused = async (...args: readonly string[]): Promise<void> => {
      const { code, stderr } = await run(...args);
      assert.notEqual(code, 0);
      assert.match(stderr, /SERVER_REFUSED/);
    };
    for (const token of [reader, keeper, admin]) {
      await ok(run('status', '--token', token));
      await ok(run('replay', 'history', '--limit', '1', '--token', token));
    }
    await refused('schedule', 'cancel', 'NO', '--token', reader);
    const cancelled = await run('schedule', 'cancel', 'NO', '--token', keeper);
    assert.match(cancelled.stderr, /SCHEDULE_UNKNOWN/);
    for (const token of [reader, keeper]) {
      await refused('module', 'unload', 'orders', '--token', token);
      await refused('token', 'list', '--token', token);
    }
    await ok(run('token', 'create', 'given', '--allow', 'call accounts.*', '--token', admin));
    const listed = JSON.parse(await ok(run('token', 'list', '--json', '--token', admin))) as PrincipalList;
    assert.equal(listed.principals.find(({ name }) => name === 'given')?.by, '_ada');
    const called = await run('call', 'accounts.balance', '--agent', 'alice', '--token', reader);
    assert.match(called.stderr, /NOT_ALLOWED/);
  });

  it('tokens are valid after the broker was killed, and revoked ones are not', async () => {
    const kept = await create('kept', ['call accounts.*']);
    const lost = await create('lost', ['call accounts.*']);
    await ok(asOperator('token', 'revoke', 'lost'));
    const { dataDir } = broker;
    const port = new URL(broker.url).port;
    await broker.kill();
    await using next = await startBroker({
      dataDir,
      shipped: ['accounts'],
      args: ['--durability', 'os', '--nats-port', port],
    });
    const called = await waitFor('the server of the next broker', async () => {
      const { stdout } = await natsCli(
        ['--nkey', kept, 'req', '--raw', 'call.accounts.balance.alice', '{}'],
        { url: next.url },
      );
      return /"status":"ok"/.test(stdout) ? stdout : undefined;
    });
    assert.match(called, /"balance"/);
    const late = await natsCli(['--nkey', lost, 'req', 'call.accounts.balance.alice', '{}'], {
      url: next.url,
    });
    assert.match(late.stderr, /Authorization Violation/i);
    assert.match(await ok(asOperator('replay', 'verify')), /clean: nothing is missing/);
  });
});
