import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, createInbox, headers, type NatsConnection } from 'nats';
import { authenticatorOf } from '../../../link/nkey.js';
import { readToken } from '../../../link/token-file.js';
import { createProducer } from '../../../modules/client/index.js';
import accountsModule from '../../../modules/accounts/index.js';
import type { Principal, PrincipalList, TokenChange } from '../../../schemas/access-requests.js';
import type { Fault } from '../../../schemas/errors.js';
import { PRODUCER } from '../../../schemas/producer-requests.js';
import type { HistoryLine } from '../../../schemas/record.js';
import { SCHEDULE_HEADER } from '../../../schemas/schedule.js';
import { startBroker, tallystick, type TestBroker } from '../../support/broker.js';
import { success } from '../../support/either.js';
import { rawGuest } from '../../support/raw-guest.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const { manifest: accounts } = accountsModule;
const ALL = ['call accounts.*', 'send accounts.*', 'schedule accounts.*', 'produce *'];

interface Reply {
  readonly status?: string;
  readonly seq?: number;
  readonly error?: Fault;
}

describe('I12 the limits of a principal', () => {
  let broker: TestBroker;
  let home: TempDir;

  before(async () => {
    home = tempDir();
    broker = await startBroker({ shipped: ['accounts'], args: ['--durability', 'os'] });
  });

  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  const run = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await tallystick(args, { dataDir: broker.dataDir });
    assert.equal(code, 0, stderr);
    return stdout;
  };

  /** A connection by a token with these limits. */
  const open = async (name: string, ...limits: readonly string[]): Promise<NatsConnection> => {
    const out = join(home.path, `${name}.token`);
    const options = [
      ...ALL.flatMap((each) => ['--allow', each]),
      ...limits.flatMap((each) => ['--limit', each]),
    ];
    await run('token', 'create', name, '--out', out, ...options);
    const { seed } = success(readToken(out));
    return connect({ servers: broker.url, authenticator: authenticatorOf(seed), reconnect: false });
  };
  const ask = async (
    nc: NatsConnection,
    subject: string,
    data = '{"amount":1}',
    later = false,
  ): Promise<Reply> => {
    const timing = headers();
    timing.set(SCHEDULE_HEADER.in, '1h');
    return (
      await nc.request(subject, data, { timeout: 30_000, ...(later ? { headers: timing } : {}) })
    ).json<Reply>();
  };
  const deposit = (nc: NatsConnection): Promise<Reply> => ask(nc, 'call.accounts.deposit.a');
  const refusals = (replies: readonly Reply[]): readonly Fault[] =>
    replies.flatMap(({ error }) => error ?? []);

  it('stands in the token, in the list, in the log, and can be changed and taken back', async () => {
    const nc = await open('told', 'rate=200/s', 'payload=64KiB');
    await nc.close();
    const limits = { rate: 200, payload: 65_536 };
    const shown = JSON.parse(await run('token', 'show', 'told', '--json')) as Principal;
    assert.deepEqual(shown.limits, limits);
    assert.match(await run('token', 'list'), /told .*rate=200\/s, payload=64KiB/);
    const change = ['token', 'change', 'told', '--json', '--limit'];
    const changed = JSON.parse(await run(...change, 'rate=default', '--limit', 'inflight=8')) as TokenChange;
    assert.deepEqual(changed.principal.limits, { inflight: 8, payload: 65_536 });
    await run(...change, 'inflight=default', '--limit', 'payload=default');
    const { principals } = JSON.parse(await run('token', 'list', '--json')) as PrincipalList;
    assert.equal(principals.find(({ name }) => name === 'told')?.limits, undefined);
    const lines = (await run('replay', 'history', '--agent', 'told', '--json')).trim().split('\n');
    const grants = lines.map((line) => JSON.parse(line) as HistoryLine).filter(({ kind }) => kind === 'cmd');
    assert.deepEqual(
      grants.map(({ data }) => (data as { limits?: object }).limits),
      [limits, { inflight: 8, payload: 65_536 }, undefined],
    );
    const bad = await tallystick(['token', 'change', 'told', '--limit', 'speed=1'], {
      dataDir: broker.dataDir,
    });
    assert.match(bad.stderr, /LIMIT_INVALID: .*rate, bytes, inflight/);
    assert.equal(bad.code, 2);
  });

  it('rate, bytes and requests in flight: the refusal names the limit, its value and when to try again', async () => {
    for (const limit of ['rate=5/s', 'bytes=400B/s', 'inflight=3']) {
      const [name = ''] = limit.split('=');
      const nc = await open(`by-${name}`, limit);
      const replies = await Promise.all(Array.from({ length: 40 }, () => deposit(nc)));
      const refused = refusals(replies);
      assert.ok(refused.length > 0 && refused.length < 40, `${refused.length} refused by ${limit}`);
      for (const { code, message, retryAfterMs = 0 } of refused) {
        assert.equal(code, 'OVERLOADED');
        assert.ok(message.includes(limit), message);
        assert.ok(retryAfterMs > 0, message);
      }
      const next = await waitFor('a request that passes again', async () => {
        const reply = await deposit(nc);
        return reply.error === undefined ? reply : undefined;
      });
      assert.equal(next.status, 'ok');
      await nc.close();
    }
  });

  it('size and depth of a payload: an error that names the limit, and the connection stays', async () => {
    const nc = await open('size', 'payload=1KiB', 'depth=4');
    const large = `{"amount":1,"text":"${'x'.repeat(2_000)}"}`;
    const deep = `{"amount":${'['.repeat(5)}${']'.repeat(5)}}`;
    for (const subject of [
      'call.accounts.deposit.a',
      'cmd.accounts.deposit.a',
      'schedule.accounts.deposit.a',
    ]) {
      const isLater = subject.startsWith('schedule');
      const tooLarge = (await ask(nc, subject, large, isLater)).error;
      assert.equal(tooLarge?.code, 'PAYLOAD_TOO_LARGE');
      assert.match(tooLarge?.message ?? '', /limit payload=1KiB/);
      const tooDeep = (await ask(nc, subject, deep, isLater)).error;
      assert.equal(tooDeep?.code, 'PAYLOAD_INVALID');
      assert.match(tooDeep?.message ?? '', /limit depth=4/);
    }
    assert.equal((await deposit(nc)).status, 'ok');
    // The server tells the client, which refuses what the server would.
    assert.equal(nc.info?.max_payload, 256 * 1024);
    assert.throws(() => nc.publish('call.accounts.deposit.a', 'x'.repeat(512 * 1024)), /max_payload/);
    await nc.close();
  });

  it('schedules and producers: as many as the token may have, and then a refusal that names the limit', async () => {
    const nc = await open('some', 'schedules=2', 'producers=2');
    const later = () => ask(nc, 'schedule.accounts.deposit.a', '{"amount":1}', true);
    assert.deepEqual(refusals([await later(), await later()]), []);
    const full = (await later()).error;
    assert.equal(full?.code, 'SCHEDULES_FULL');
    assert.match(full?.message ?? '', /may have 2 \(limit schedules\)/);
    const producer = (name: string) =>
      ask(nc, PRODUCER.open, JSON.stringify({ name, instance: 'i', takeover: true, previous: null }));
    assert.deepEqual(refusals([await producer('one'), await producer('two')]), []);
    const third = (await producer('three')).error;
    assert.equal(third?.code, 'OVERLOADED');
    assert.match(third?.message ?? '', /may have 2 \(limit producers\)/);
    await nc.close();
  });

  it('connections and subscriptions: the server refuses more', async () => {
    const nc = await open('few', 'connections=1', 'subscriptions=3');
    // The server may close the connection before the client has read why. The broker has the words of the server.
    await assert.rejects(again('few'));
    const said = (words: RegExp): Promise<unknown> =>
      waitFor(`${words}`, () => broker.stderr.find((line) => words.test(line)));
    await said(/maximum account active connections exceeded/i);
    for (let i = 0; i < 5; i++) nc.subscribe(createInbox(), { callback: () => undefined });
    await said(/maximum (account )?(active )?subscriptions exceeded/i);
    await nc.close();
  });

  const again = (name: string): Promise<NatsConnection> => {
    const { seed } = success(readToken(join(home.path, `${name}.token`)));
    return connect({ servers: broker.url, authenticator: authenticatorOf(seed), reconnect: false });
  };

  it('I2 a producer that is faster than its rate is slowed down, and all of its records are stored in order', async () => {
    const nc = await open('paced', 'rate=100/s');
    await using producer = success(await createProducer(nc, { name: 'p' })());
    const sent = Array.from({ length: 150 }, () =>
      producer.send(accounts, 'deposit', 'paced', { amount: 1 })(),
    );
    for (const each of await Promise.all(sent)) success(each);
    assert.match(await run('replay', 'verify'), /clean: nothing is missing/);
    await nc.close();
  });

  it('I8 a command that no sender waits for is refused in the output of the broker, and nobody else is', async () => {
    const nc = await open('mute', 'rate=1/s');
    for (let i = 0; i < 20; i++) nc.publish('cmd.accounts.deposit.mute', '{"amount":1}');
    await nc.flush();
    await waitFor('the line about it', () =>
      broker.stderr.find((line) => /send\.accounts\.deposit\.mute\._mute was refused.*rate=1\/s/.test(line)),
    );
    using guest = await rawGuest(broker.url);
    guest.send('SUB _INBOX.g 1\r\nPUB call.accounts.deposit.g _INBOX.g 12\r\n{"amount":1}\r\n');
    await waitFor('the call of a guest', () => (/"status":"ok"/.test(guest.heard()) ? true : undefined));
    await nc.close();
  });
});
