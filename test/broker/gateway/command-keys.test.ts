import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { headers as makeHeaders, type NatsConnection } from 'nats';
import { readLog } from '../../../journal/read/reader.js';
import accounts from '../../../modules/accounts/index.js';
import { connect, type Tally } from '../../../modules/client/index.js';
import { Refused } from '../../../modules/sdk/index.js';
import { HEADER } from '../../../schemas/headers.js';
import type { Result } from '../../../schemas/result.js';
import type { Schedule } from '../../../schemas/schedule.js';
import { startBroker, tallystick, type TestBroker } from '../../support/broker.js';
import { connectOperator } from '../../support/log-checks.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const shipped = join(import.meta.dirname, '..', '..', '..', 'modules', 'accounts');
const dir = tempDir();
const dataDir = join(dir.path, 'data');
let broker: TestBroker;
/** The operator's calls, and a guest's connection for plain NATS messages. */
let tally: Tally;
let guest: NatsConnection;

const start = async (): Promise<void> => {
  broker = await startBroker({ dataDir, shipped: ['accounts'], args: ['--durability', 'os'] });
  tally = await connect({ data: dataDir });
  guest = (await connect({ server: broker.url })).connection;
};
const stop = async (): Promise<void> => {
  await tally.close();
  await guest.close();
  await broker[Symbol.asyncDispose]();
};

before(start);
after(async () => {
  await stop();
  await dir[Symbol.asyncDispose]();
});

const refused = async (work: Promise<unknown>): Promise<Refused> => {
  try {
    return assert.fail(`not refused: ${JSON.stringify(await work)}`);
  } catch (thrown) {
    assert.ok(thrown instanceof Refused, String(thrown));
    return thrown;
  }
};

/** A message of the guest, as a program in any language sends it. */
const ask = async (
  subject: string,
  payload: string,
  given: Readonly<Record<string, string>>,
): Promise<Result & { readonly seq?: number; readonly duplicate?: boolean }> => {
  const headers = makeHeaders();
  for (const [name, value] of Object.entries(given)) headers.set(name, value);
  return (await guest.request(subject, payload, { headers, timeout: 20_000 })).json();
};

const commandsWith = async (key: string): Promise<readonly string[]> => {
  const nc = await connectOperator(dataDir);
  const found: string[] = [];
  try {
    for await (const message of readLog(nc, { filters: ['cmd.>'] }))
      if (message.header(HEADER.key) === key) found.push(message.subject);
  } finally {
    await nc.close();
  }
  return found;
};

describe('the key of a call', () => {
  it('makes calls one command, and gives each of them its result', async () => {
    const anna = tally.agent(accounts, 'anna');
    for (let i = 0; i < 3; i++)
      assert.deepEqual(await anna.deposit({ amount: 5 }, { key: 'first' }), { balance: 5 });
    assert.equal((await anna.balance()).balance, 5);
    assert.deepEqual(await commandsWith('first'), ['cmd.accounts.deposit.anna.operator']);
  });

  it('holds for calls that come at once, and for calls, sent commands and the command line together', async () => {
    const ben = tally.agent(accounts, 'ben');
    const calls = Array.from({ length: 50 }, () => ben.deposit({ amount: 1 }, { key: 'at-once' }));
    const sends = Array.from({ length: 50 }, () => ben.deposit.send({ amount: 1 }, { key: 'at-once' }));
    const balances = new Set((await Promise.all(calls)).map(({ balance }) => balance));
    const sequences = new Set((await Promise.all(sends)).map(({ seq }) => seq));
    assert.deepEqual([[...balances], sequences.size], [[1], 1]);
    const line = ['call', 'accounts.deposit.ben', '{"amount":1}', '--key', 'at-once', '--data', dataDir];
    const { code, stdout } = await tallystick(line);
    assert.equal(code, 0);
    assert.match(stdout, /"balance": 1\b/);
    assert.deepEqual(await commandsWith('at-once'), ['cmd.accounts.deposit.ben.operator']);
  });

  it('gives a result that is no, too', async () => {
    const cleo = tally.agent(accounts, 'cleo');
    const withdraw = () => refused(cleo.withdraw({ amount: 9 }, { key: 'no' }));
    assert.equal((await withdraw()).code, 'INSUFFICIENT_FUNDS');
    await cleo.deposit({ amount: 50 });
    assert.equal((await withdraw()).code, 'INSUFFICIENT_FUNDS');
    assert.equal((await cleo.balance()).balance, 50);
  });

  it('is refused for another agent, action or payload, but not for other blanks', async () => {
    const dan = tally.agent(accounts, 'dan');
    await dan.deposit({ amount: 3 }, { key: 'taken' });
    const others = [
      () => dan.deposit({ amount: 4 }, { key: 'taken' }),
      () => dan.withdraw({ amount: 3 }, { key: 'taken' }),
      () => dan.deposit.send({ amount: 4 }, { key: 'taken' }),
      () => tally.agent(accounts, 'eve').deposit({ amount: 3 }, { key: 'taken' }),
    ];
    for (const other of others) {
      const { code, retryable, message } = await refused(other());
      assert.deepEqual([code, retryable], ['KEY_REUSED', false]);
      assert.match(message, /you gave the key taken to command \d+, (with|for) /);
    }
    const given = { [HEADER.key]: 'blanks' };
    const first = await ask('call.accounts.deposit.dan', '{"amount":1}', given);
    assert.deepEqual(await ask('call.accounts.deposit.dan', '{ "amount" : 1 }', given), first);
  });

  it('is one of its sender: another sender has the same key for another command', async () => {
    const seen = await ask('cmd.accounts.deposit.fay', '{"amount":1}', { [HEADER.key]: 'shared' });
    const again = await ask('cmd.accounts.deposit.fay', '{"amount":1}', { [HEADER.key]: 'shared' });
    assert.deepEqual([again.seq, seen.duplicate, again.duplicate], [seen.seq, undefined, true]);
    await tally.agent(accounts, 'gus').deposit({ amount: 2 }, { key: 'shared' });
    assert.equal((await commandsWith('shared')).length, 2);
  });

  it('has 1 to 128 printable characters, and no identity next to it', async () => {
    for (const key of ['', 'two words', 'k'.repeat(129), 'schlüssel']) {
      const why = await refused(tally.agent(accounts, 'hal').deposit({ amount: 1 }, { key }));
      assert.equal(why.code, 'HEADER_INVALID', key);
    }
    const both = { [HEADER.key]: 'k', [HEADER.id]: 'guest~a.1.1' };
    const answer = await ask('cmd.accounts.deposit.hal', '{"amount":1}', both);
    assert.match(JSON.stringify(answer), /"HEADER_INVALID".*not both/);
    await tally.agent(accounts, 'hal').deposit({ amount: 1 }, { key: 'k'.repeat(128) });
    assert.equal(
      (await tallystick(['call', 'accounts.balance.hal', '--key', 'a b', '--data', dataDir])).code,
      2,
    );
  });

  it('gives the result while the module is unloaded, and stores no new command for it', async () => {
    const ida = tally.agent(accounts, 'ida');
    await ida.deposit({ amount: 6 }, { key: 'before' });
    assert.equal((await tallystick(['module', 'unload', 'accounts', '--data', dataDir])).code, 0);
    assert.deepEqual(await ida.deposit({ amount: 6 }, { key: 'before' }), { balance: 6 });
    assert.equal((await refused(ida.deposit({ amount: 6 }, { key: 'new' }))).code, 'MODULE_UNAVAILABLE');
    assert.equal((await tallystick(['module', 'load', shipped, '--data', dataDir])).code, 0);
    // The refusal has not used the key up.
    assert.deepEqual(await ida.deposit({ amount: 6 }, { key: 'new' }), { balance: 12 });
  });

  it('holds after a restart, also with an index that was deleted, and for a command without a result', async () => {
    const { seq } = await tally.agent(accounts, 'jon').deposit.send({ amount: 8 }, { key: 'early' });
    for (const isDeleted of [false, true]) {
      await stop();
      if (isDeleted) rmSync(join(dataDir, 'index'), { recursive: true });
      await start();
      const jon = tally.agent(accounts, 'jon');
      assert.deepEqual(await jon.deposit({ amount: 8 }, { key: 'early' }), { balance: 8 });
      assert.deepEqual(await jon.deposit.send({ amount: 8 }, { key: 'early' }), { seq });
      assert.deepEqual(await tally.agent(accounts, 'anna').deposit({ amount: 5 }, { key: 'first' }), {
        balance: 5,
      });
      assert.equal((await refused(jon.deposit({ amount: 9 }, { key: 'early' }))).code, 'KEY_REUSED');
    }
    assert.equal((await commandsWith('early')).length, 1);
  });
});

describe('the key of a schedule', () => {
  const kim = () => tally.agent(accounts, 'kim').deposit;

  it('makes requests one schedule, also at once and after a restart', async () => {
    const schedule = (): Promise<Schedule> =>
      kim().schedule({ amount: 1 }, { in: '1000d' }, { key: 'later' });
    const made = await Promise.all([schedule(), schedule(), schedule()]);
    assert.equal(new Set(made.map(({ id, next }) => `${id} ${next}`)).size, 1);
    await stop();
    await start();
    assert.equal((await schedule()).id, made[0]?.id);
    const other = kim().schedule({ amount: 2 }, { in: '1000d' }, { key: 'later' });
    assert.equal((await refused(other)).code, 'KEY_REUSED');
    // A cancelled schedule that has not fired leaves its key.
    const cancel = ['schedule', 'cancel', made[0]?.id ?? '', '--data', dataDir];
    assert.equal((await tallystick(cancel)).code, 0);
    await kim().schedule({ amount: 2 }, { in: '1000d' }, { key: 'later' });
  });

  it('is of no use once the schedule has fired', async () => {
    const schedule = () => kim().schedule({ amount: 1 }, { in: '1s' }, { key: 'soon' });
    await schedule();
    const balance = async () => (await tally.agent(accounts, 'kim').balance()).balance;
    await waitFor('the schedule to fire', async () => (await balance()) === 1);
    const ended = await waitFor('the schedule to end', async () => {
      const again = await schedule().then(
        () => undefined,
        (thrown: Refused) => thrown,
      );
      return again;
    });
    assert.equal(ended.code, 'SCHEDULE_ENDED');
    assert.equal(await balance(), 1);
  });
});
