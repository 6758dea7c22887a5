import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isLeft } from 'fp-ts/lib/Either.js';
import { connect as connectNats } from 'nats';
import accounts from '../../modules/accounts/index.js';
import agents from '../../modules/agents/index.js';
import { connect, type Tally } from '../../modules/client/index.js';
import { Refused, send } from '../../modules/sdk/index.js';
import { tallystick } from '../cli/tallystick.js';
import boxOffice from '../fixtures/modules/box-office/index.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { failure, success } from '../support/either.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

let broker: TestBroker;
let tally: Tally;

before(async () => {
  const office = join(import.meta.dirname, '..', 'fixtures', 'modules', 'box-office', 'index.js');
  broker = await startBroker({
    shipped: ['accounts', 'agents'],
    args: ['--durability', 'os', '--module', office],
  });
  tally = await connect({ data: broker.dataDir });
});
after(async () => {
  await tally.close();
  await broker[Symbol.asyncDispose]();
});

/** The refusal that a promise ends with; anything else fails the test. */
const refused = async (work: Promise<unknown>): Promise<Refused> => {
  try {
    const value = await work;
    return assert.fail(`not refused: ${JSON.stringify(value)}`);
  } catch (thrown) {
    assert.ok(thrown instanceof Refused, String(thrown));
    return thrown;
  }
};

describe('a call', () => {
  it('resolves with the output, or throws Refused', async () => {
    const anna = tally.agent(accounts, 'anna');
    assert.deepEqual(await anna.deposit({ amount: 5 }), { balance: 5 });
    const why = await refused(anna.withdraw({ amount: 9 }));
    assert.deepEqual(
      [why.name, why.code, why.status, why.retryable],
      ['Refused', 'INSUFFICIENT_FUNDS', 'rejected', false],
    );
    assert.match(why.message, /^INSUFFICIENT_FUNDS: the balance is 5/);
    assert.equal((await refused(anna.deposit({ amount: -1 }))).error.path, '/amount');
  });

  it('gives the result as a value by try', async () => {
    const bert = tally.agent(accounts, 'bert');
    assert.deepEqual(success(await bert.deposit.try({ amount: 7 })), { balance: 7 });
    assert.equal(failure(await bert.withdraw.try({ amount: 8 })).code, 'INSUFFICIENT_FUNDS');
  });

  it('is sent at once, also if nobody awaits it', async () => {
    await using other = await connect({ data: broker.dataDir });
    void other.agent(accounts, 'carl').deposit({ amount: 3 });
    void other.agent(accounts, 'carl').deposit.try({ amount: 3 });
    void other.agent(accounts, 'carl').deposit.send({ amount: 3 });
    await other.close();
    // Commands of one agent are handled in their order.
    assert.equal((await tally.agent(accounts, 'carl').balance()).balance, 9);
  });

  it('of a producer is sent at once too', async () => {
    await using other = await connect({ data: broker.dataDir });
    const producer = await other.producer({ name: 'not-awaited' });
    void producer.send(accounts, 'deposit', 'cora', { amount: 3 });
    void producer.accept(accounts, 'deposit', 'cora', { amount: 3 });
    void producer.sendAll([send(accounts, 'deposit', 'cora', { amount: 3 })]);
    await waitFor('the commands to be stored', () => producer.pending === 0);
    await producer.close();
    assert.equal((await tally.agent(accounts, 'cora').balance()).balance, 9);
  });

  it('takes an input that may be left out, and is for an agent or for the module', async () => {
    await tally.agent(agents, 'ada').spawn();
    await waitFor('ada to be listed', async () => (await tally.module(agents).list()).total === 1);
    assert.deepEqual(Object.keys(tally.module(agents)), ['list', 'enroll', 'strike']);
    assert.equal('list' in tally.agent(agents, 'ada'), false);
    assert.equal((await refused(tally.module(agents).enroll({ agent: 'eve' }))).code, 'CALLER_FORBIDDEN');
  });

  it('takes a deadline, a priority and a time to wait', async () => {
    const dora = tally.agent(accounts, 'dora');
    assert.deepEqual(await dora.deposit({ amount: 1 }, { priority: 'urgent' }), { balance: 1 });
    const late = await refused(dora.deposit({ amount: 1 }, { deadline: new Date(Date.now() - 1_000) }));
    assert.equal(late.status, 'expired');
    const wrong = { priority: 'now' as 'urgent' };
    assert.equal((await refused(dora.deposit({ amount: 1 }, wrong))).code, 'HEADER_INVALID');
    assert.equal((await refused(dora.deposit.send({ amount: 1 }, wrong))).code, 'HEADER_INVALID');
    assert.equal(
      (await refused(tally.agent(accounts, 'no name!').deposit({ amount: 1 }))).code,
      'NAME_INVALID',
    );
  });

  it('is stored by send, and comes later by schedule', async () => {
    const emil = tally.agent(accounts, 'emil');
    const { seq } = await emil.deposit.send({ amount: 4 });
    assert.ok(seq > 0);
    assert.equal((await emil.balance()).balance, 4);
    const once = await emil.deposit.schedule({ amount: 2 }, { in: '1h' });
    assert.deepEqual([once.module, once.action, once.agent], ['accounts', 'deposit', 'emil']);
    const at = new Date(Date.now() + 3_600_000);
    assert.equal((await emil.deposit.schedule({ amount: 2 }, { at })).at, at.toISOString());
    assert.equal((await emil.deposit.schedule({ amount: 2 }, { every: '1h' })).everyMs, 3_600_000);
    const daily = await emil.deposit.schedule(
      { amount: 2 },
      { cron: '0 9 * * *', timezone: 'Europe/Berlin' },
    );
    assert.equal(daily.timezone, 'Europe/Berlin');
    assert.equal(
      (await refused(emil.deposit.schedule({ amount: 2 }, { in: 'soon' }))).code,
      'SCHEDULE_INVALID',
    );
    const never = new Date(Number.NaN);
    assert.equal(
      (await refused(emil.deposit.schedule({ amount: 2 }, { at: never }))).code,
      'SCHEDULE_INVALID',
    );
    const soon = await emil.deposit.schedule({ amount: 100 }, { in: '1ms' });
    assert.ok(soon.id.length > 0);
    await waitFor('the scheduled deposit', async () => (await emil.balance()).balance === 104);
  });
});

describe('the state of an agent', () => {
  it('has what this connection changed, with the type of the module', async () => {
    assert.equal(await tally.state(accounts, 'frida'), undefined);
    for (const balance of [5, 10, 15]) {
      await tally.agent(accounts, 'frida').deposit({ amount: 5 });
      assert.equal((await tally.state(accounts, 'frida'))?.state.balance, balance);
    }
  });

  it('is refused where there are no snapshots', async () => {
    await using dir = tempDir();
    await using other = await connect({ connection: tally.connection, data: dir.path });
    assert.equal((await refused(other.state(accounts, 'frida'))).code, 'SNAPSHOTS_UNAVAILABLE');
  });
});

describe('an async handler', () => {
  it('awaits a call of another module', async () => {
    await tally.agent(accounts, 'gabi').deposit({ amount: 50 });
    const sold = await tally.agent(boxOffice, 'hamlet').sell({ seats: 3, to: 'gabi' });
    assert.deepEqual(sold, { left: 97, balance: 20 });
    assert.equal((await tally.state(boxOffice, 'hamlet'))?.state.sold, 3);
    assert.match((await tally.module(boxOffice).close()).at, /^2\d{3}-/);
  });

  it('is refused with the code of a call that it does not catch, which callers have in a union', async () => {
    const said = await tally.agent(boxOffice, 'hamlet').sell.try({ seats: 3, to: 'gabi' });
    const { code, message } = failure(said);
    assert.equal(code, 'INSUFFICIENT_FUNDS');
    assert.match(message, /the balance is 20/);
    if (isLeft(said)) {
      // @ts-expect-error the action does not declare this code
      assert.notEqual(said.left.code === 'NOT_DECLARED', true);
    }
    assert.equal((await tally.state(boxOffice, 'hamlet'))?.state.sold, 3);
  });

  it('gets the result of a call as a value by call.try', async () => {
    assert.equal(await tally.agent(boxOffice, 'lear').gift({ to: 'nobody' }), 'INSUFFICIENT_FUNDS');
    await tally.agent(accounts, 'rich').deposit({ amount: 10 });
    assert.equal(await tally.agent(boxOffice, 'lear').gift({ to: 'rich' }), null);
  });
});

describe('a producer', () => {
  it('sends, accepts and sends many, and is disposed of', async () => {
    await using dir = tempDir();
    const settings = { name: 'till', outbox: join(dir.path, 'outbox') };
    {
      await using producer = await tally.producer(settings);
      const first = await producer.send(accounts, 'deposit', 'hans', { amount: 1 });
      assert.equal(first.n, 1);
      const accepted = await producer.accept(accounts, 'deposit', 'hans', { amount: 2 });
      assert.ok((await accepted.stored).seq > first.seq);
      const many = await producer.sendAll([
        send(accounts, 'deposit', 'hans', { amount: 3 }),
        { module: 'no module', name: 'deposit', data: {} },
      ]);
      assert.deepEqual(
        many.map(({ _tag }) => _tag),
        ['Right', 'Left'],
      );
      assert.equal(
        (await refused(producer.send(accounts, 'deposit', 'no name!', { amount: 1 }))).code,
        'NAME_INVALID',
      );
    }
    assert.equal((await tally.agent(accounts, 'hans').balance()).balance, 6);
    // The outbox is free again.
    await (await tally.producer(settings)).close();
    assert.equal((await refused(tally.producer({ name: 'no name!' }))).code, 'NAME_INVALID');
  });
});

describe('connect', () => {
  it('leaves a connection open that you gave', async () => {
    const nc = await connectNats({ servers: broker.url });
    const given = await connect({ connection: nc });
    await given.agent(accounts, 'ida').deposit({ amount: 1 });
    await given.close();
    assert.equal(nc.isClosed(), false);
    await nc.close();
  });

  it('finds the broker as the command line does: by NATS_URL, as the guest', async () => {
    const before = process.env.NATS_URL;
    process.env.NATS_URL = broker.url;
    try {
      await using found = await connect();
      await found.agent(accounts, 'jan').deposit({ amount: 1 });
      const history = await tallystick(['replay', 'history', '--agent', 'jan', '--data', broker.dataDir]);
      assert.match(history.stdout, /cmd accounts\.deposit +jan +guest/);
    } finally {
      if (before === undefined) delete process.env.NATS_URL;
      else process.env.NATS_URL = before;
    }
  });

  it('is refused where no broker answers, or two places are named', async () => {
    await using dir = tempDir();
    assert.equal((await refused(connect({ data: dir.path }))).code, 'BROKER_UNREACHABLE');
    assert.equal((await refused(connect({ server: 'nats://127.0.0.1:1' }))).code, 'BROKER_UNREACHABLE');
    const both = connect({ server: broker.url, data: broker.dataDir });
    assert.equal((await refused(both)).code, 'USAGE');
  });
});
