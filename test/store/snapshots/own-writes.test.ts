import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { openAgents } from '../../../store/snapshots/index.js';
import accountsModule from '../../../modules/accounts/index.js';
import { createClient } from '../../../modules/client/index.js';
import { HEADER } from '../../../schemas/headers.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { failure, success } from '../../support/either.js';
import { natsCall } from '../../support/requests.js';

const { manifest: accounts } = accountsModule;

describe('whoever was answered', () => {
  let broker: TestBroker;
  let nc: NatsConnection;

  before(async () => {
    broker = await startBroker({ shipped: ['accounts'], args: ['--durability', 'os'] });
    nc = await connect({ servers: broker.url });
  });
  after(async () => {
    await nc?.close();
    await broker?.[Symbol.asyncDispose]();
  });

  test('is told where the result is in the log, also where the answer is no, and only where it is recorded', async () => {
    const done = await natsCall(broker.url, 'accounts.deposit.alice', '{"amount":5}');
    assert.equal(done.result.status, 'ok');
    assert.ok(Number(done.headers[HEADER.result]) > Number(done.headers[HEADER.cause]));
    const no = await natsCall(broker.url, 'accounts.withdraw.nobody', '{"amount":5}');
    assert.equal(no.result.status, 'rejected');
    assert.ok(Number(no.headers[HEADER.result]) > Number(no.headers[HEADER.cause]));
    const refused = await natsCall(broker.url, 'nobody.at.home', '{}');
    assert.deepEqual([refused.headers[HEADER.cause], refused.headers[HEADER.result]], [undefined, undefined]);
  });

  test('I6 reads from another process what they wrote, however soon they look', async () => {
    const client = createClient(nc);
    const agents = openAgents(broker.dataDir);
    for (let i = 1; i <= 50; i++) {
      const { data, command, result } = success(
        await client.callWithReceipt(accounts, 'deposit', 'bob', { amount: 1 })(),
      );
      assert.ok(result > command);
      success(await agents.atLeast('accounts', result)());
      const found = agents.get('accounts', 'bob');
      assert.ok(found !== undefined && found.seq === result, `${found?.seq} and ${result}`);
      assert.equal((found.state as { balance: number }).balance, data.balance);
      assert.equal(data.balance, i);
    }
    const no = failure(await client.callWithReceipt(accounts, 'withdraw', 'nobody', { amount: 1 })());
    assert.equal(no.error.code, 'INSUFFICIENT_FUNDS');
    await agents.close();
  });
});
