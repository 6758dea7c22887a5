import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, headers, type NatsConnection } from 'nats';
import { authenticatorOf } from '../../../link/nkey.js';
import { readToken } from '../../../link/token-file.js';
import { createProducer } from '../../../modules/client/index.js';
import accountsModule from '../../../modules/accounts/index.js';
import type { AccountUsage } from '../../../schemas/account-usage.js';
import type { Fault } from '../../../schemas/errors.js';
import { startBroker, tallystick, type TestBroker } from '../../support/broker.js';
import { brokerStatus } from '../../support/broker-status.js';
import { success } from '../../support/either.js';
import { byForm } from '../../support/form.js';
import { connectOperator } from '../../support/log-checks.js';
import { moduleCommand } from '../../support/modules.js';
import { PROJECT_ROOT } from '../../support/project-root.js';
import { Seeded } from '../../support/seeded.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { PATIENT } from '../../support/patient.js';

const { manifest: accounts } = accountsModule;
const PRINCIPALS = byForm({ short: 4, deep: 40 });
const ROUNDS = byForm({ short: 2, deep: 12 });
const SHIPPED = join(PROJECT_ROOT, 'dist', 'modules', 'accounts');
const SEED = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);

interface Reply {
  readonly error?: Fault;
  readonly seq?: number;
}

/** An account whose open commands have a limit, and how many it has in the model. */
interface Modelled {
  readonly account: string;
  readonly most: number;
  readonly open: () => Promise<NatsConnection>;
  held: number;
}

const ACTS = ['send', 'keyed', 'again'] as const;

describe(`I12 limits of open commands and of the log (seed ${SEED})`, () => {
  const random = new Seeded(SEED);
  const args = [
    ...['--durability', 'os', '--max-bytes', '64MiB', '--limit', 'guest:open=5', '--limit', 'guest:log=2%'],
    ...['--limit', 'operator:open=3', '--limit', 'modules:open=500', '--limit', 'accounts:rate=100000/s'],
  ];
  let broker: TestBroker;
  let home: TempDir;
  let all: readonly Modelled[] = [];

  const start = (): Promise<TestBroker> =>
    startBroker({ dataDir: join(home.path, 'data'), shipped: ['accounts'], args });

  before(async () => {
    home = tempDir();
    broker = await start();
    const principals: Modelled[] = [];
    for (let i = 0; i < PRINCIPALS; i++) {
      const [name, most] = [`p${i}`, random.int(1, 6)];
      const out = join(home.path, `${name}.token`);
      const grants = ['--allow', 'send accounts.*', '--allow', 'produce *', '--limit', `open=${most}`];
      const { code, stderr } = await run('token', 'create', name, '--out', out, ...grants);
      assert.equal(code, 0, stderr);
      const open = () => {
        const { seed } = success(readToken(out));
        return connect({ servers: broker.url, authenticator: authenticatorOf(seed), reconnect: false });
      };
      principals.push({ account: `_${name}`, most, open, held: 0 });
    }
    all = [
      ...principals,
      { account: 'guest', most: 5, open: () => connect({ servers: broker.url, reconnect: false }), held: 0 },
      { account: 'operator', most: 3, open: () => connectOperator(broker.dataDir), held: 0 },
    ];
  });

  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  const run = (...words: readonly string[]) => tallystick(words, { dataDir: broker.dataDir });
  const send = async (nc: NatsConnection, key?: string): Promise<Reply> => {
    const named = headers();
    if (key !== undefined) named.set('Tally-Key', key);
    const options = { timeout: 30_000, ...(key === undefined ? {} : { headers: named }) };
    return (await nc.request('cmd.accounts.deposit.a', '{"amount":1}', options)).json<Reply>();
  };

  /** More commands than there is room for, some with a key, some at the same time. */
  const fill = async (who: Modelled): Promise<void> => {
    const nc = await who.open();
    const [key, act] = [`k${random.int(0, 1e9)}`, random.pick(ACTS)];
    const asked = who.most + random.int(1, 5);
    const replies: Reply[] = await Promise.all(
      Array.from({ length: asked }, (_, i) => send(nc, act === 'keyed' ? `${key}-${i}` : undefined)),
    );
    const refused = replies.flatMap(({ error }) => error ?? []);
    assert.equal(replies.length - refused.length, who.most - who.held, `${who.account}, ${act}`);
    for (const { code, message, retryAfterMs = 0 } of refused) {
      assert.equal(code, 'OVERLOADED');
      assert.ok(message.includes(`limit open=${who.most}`), message);
      assert.ok(retryAfterMs > 0);
    }
    who.held = who.most;
    await nc.close();
  };

  const usageOf = async (account: string): Promise<AccountUsage | undefined> =>
    (await brokerStatus(broker.dataDir)).accounts?.find((each) => each.account === account);

  it('each account has exactly as many as its limit, also after kill -9, and results make room', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      assert.equal((await moduleCommand(broker, 'unload', 'accounts')).code, 0);
      for (const who of all) await fill(who);
      if (round % 2 === 0) {
        await broker.kill();
        broker = await start();
        // A module that an operator unloaded stays so, and its commands stay open.
        for (const who of all) await fill(who);
      }
      for (const { account, most } of all) assert.equal((await usageOf(account))?.open, most, account);
      assert.equal((await moduleCommand(broker, 'load', SHIPPED)).code, 0);
      for (const who of all) {
        await waitFor(`room for ${who.account}`, async () => (await usageOf(who.account))?.open === 0);
        who.held = 0;
      }
    }
  });

  it('a key whose command the log has gets it, also where its account has no room', async () => {
    const guest = await connect({ servers: broker.url });
    assert.equal((await moduleCommand(broker, 'unload', 'accounts')).code, 0);
    const stored = await Promise.all(Array.from({ length: 5 }, (_, i) => send(guest, `again-${i}`)));
    assert.equal((await send(guest)).error?.code, 'OVERLOADED');
    assert.equal((await send(guest, 'again-0')).seq, stored[0]?.seq);
    assert.equal((await moduleCommand(broker, 'load', SHIPPED)).code, 0);
    await waitFor('room', async () => (await usageOf('guest'))?.open === 0);
    await guest.close();
  });

  it('I2 a producer waits for room among the open commands, and none of its records is refused', async () => {
    const [first] = all;
    assert.ok(first !== undefined);
    assert.equal((await moduleCommand(broker, 'unload', 'accounts')).code, 0);
    const nc = await first.open();
    await using producer = success(await createProducer(nc, { name: 'paced' })());
    const sent = Promise.all(
      Array.from({ length: 20 }, () => producer.send(accounts, 'deposit', 'paced', { amount: 1 })()),
    );
    await waitFor('it to be full', async () => (await usageOf(first.account))?.open === first.most);
    assert.equal((await moduleCommand(broker, 'load', SHIPPED)).code, 0);
    for (const each of await sent) success(each);
    await nc.close();
  });

  it('what a schedule sends waits for room among the open commands of its account, and is not lost', async () => {
    const guest = await connect({ servers: broker.url });
    assert.equal((await moduleCommand(broker, 'unload', 'accounts')).code, 0);
    const soon = headers();
    soon.set('Tally-In', '1s');
    const made = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        guest.request(`schedule.accounts.deposit.later-${i}`, '{"amount":1}', {
          headers: soon,
          timeout: 30_000,
        }),
      ),
    );
    for (const each of made) assert.equal(each.json<Reply>().error, undefined, each.string());
    await waitFor('the broker to say so', () =>
      broker.stderr.some((line) =>
        /what is due waits: OVERLOADED: guest, which made the schedule/.test(line),
      ),
    );
    assert.equal((await usageOf('guest'))?.open, 5);
    assert.equal((await moduleCommand(broker, 'load', SHIPPED)).code, 0);
    const fired = async (): Promise<number> => {
      const { stdout } = await run('replay', 'history', '--json');
      return stdout.split('\n').filter((line) => line.includes('"kind":"res"') && line.includes('"later-'))
        .length;
    };
    await waitFor('all to have their results', async () => (await fired()) === 12);
    await guest.close();
  });

  it('an account gets its share of the log and no more, others go on, and status and top say so', async () => {
    const guest = await connect({ servers: broker.url });
    const most = (64 * 1024 * 1024 * 2) / 100;
    let code: string | undefined;
    for (let i = 0; i < 100 && code === undefined; i++) {
      const reply = await guest.request(
        'cmd.accounts.deposit.a',
        JSON.stringify('x'.repeat(50_000)),
        PATIENT,
      );
      const { error } = reply.json<Reply>();
      code = error?.code;
      if (error !== undefined) assert.match(error.message, /guest may have 2 percent .* limit log=2%/);
      await waitFor('its result', async () => ((await usageOf('guest'))?.open ?? 0) < 5);
    }
    assert.equal(code, 'LOG_FULL');
    const used = await usageOf('guest');
    assert.ok(
      used !== undefined && used.logBytes <= most && used.logBytes > most * 0.9,
      JSON.stringify(used),
    );
    assert.ok(used.refused > 0 && used.requests > used.refused);
    const [first] = all;
    const nc = await (first as Modelled).open();
    assert.equal((await send(nc)).error, undefined);
    await nc.close();
    await guest.close();
    const { stdout } = await run('status');
    assert.match(stdout, /^ACCOUNT +REQUESTS\/S .*REFUSED$/m);
    assert.match(stdout, /^guest .* [12]\.\d% +[1-9]\d*$/m);
    const top = await run('top', '--times', '2', '--every', '10ms', '--json');
    assert.equal(top.code, 0, top.stderr);
    const looks = top.stdout.trim().split('\n');
    assert.equal(looks.length, 2);
    for (const look of looks) {
      const { accounts: seen } = JSON.parse(look) as { accounts: readonly AccountUsage[] };
      assert.ok(seen.some(({ account, logBytes }) => account === 'accounts' && logBytes > 0));
    }
  });

  it('a limit that is none is refused at the start, by name', async () => {
    for (const bad of ['guest', 'nobody!:rate=1/s', 'guest:speed=1', 'guest:log=101%', 'operator:open=0']) {
      const { code, stderr } = await tallystick(['start', '--limit', bad], { dataDir: join(home.path, 'x') });
      assert.equal(code, 2);
      assert.match(stderr, /LIMIT_INVALID: --limit WHO:NAME=VALUE: /);
    }
  });
});
