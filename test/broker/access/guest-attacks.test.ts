import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, headers as makeHeaders, type NatsConnection } from 'nats';
import { newUserKey } from '../../../link/nkey.js';
import { ACCESS } from '../../../schemas/access-requests.js';
import { RawNats } from '../../support/raw-nats.js';
import { waitFor } from '../../support/wait-for.js';
import { AttackedBroker, DELETE_LOG, PURGE_LOG, STAGED } from './attacked-broker.js';
import { attempt, connectWith, maySubscribe, redirect } from './attempts.js';

describe('the guest', () => {
  let attacked: AttackedBroker;
  let guest: NatsConnection;

  before(async () => {
    attacked = await AttackedBroker.start();
    ({ guest } = attacked);
  });
  after(() => attacked?.[Symbol.asyncDispose]());

  it('sends commands and calls, sees what is stored, and discovers services', async () => {
    const seen: string[] = [];
    const live = guest.subscribe('live.>', { callback: (_, msg) => void seen.push(msg.subject) });
    await guest.flush();
    assert.equal(await attempt(guest, 'cmd.accounts.deposit.carol', { amount: 1 }), 'served');
    assert.equal(await attempt(guest, 'call.accounts.deposit.carol', { amount: 1 }), 'served');
    assert.equal(await attempt(guest, '$SRV.PING.accounts'), 'served');
    await waitFor(
      'both to be seen',
      () => seen.filter((it) => it === 'live.evt.accounts.deposited.carol').length === 2,
    );
    live.unsubscribe();
    const senders = (await attacked.history()).filter(
      ({ kind, agent }) => kind === 'cmd' && agent === 'carol',
    );
    assert.deepEqual(
      senders.map(({ sender }) => sender),
      ['guest', 'guest'],
    );
  });

  it('I7 is refused everything else, aloud', async () => {
    for (const subject of [
      'evt.accounts.deposited.alice',
      'res.accounts.deposit.alice',
      'epoch.accounts',
      'ops.status',
      'ctl.accounts.start',
      'consumer.create.LOG.mine',
      'cmd.accounts.deposit.alice.accounts',
      'cmd.accounts',
      '_INBOX.of.another',
      '$JS.API.INFO',
      '$JS.API.STREAM.INFO.LOG',
      DELETE_LOG,
      '$JS.API.CONSUMER.CREATE.LOG.mine',
      '$JS.API.DIRECT.GET.LOG',
      '$JS.ACK.LOG.accounts.1.9.9.1.0',
      '$SYS.REQ.SERVER.PING',
      '$SYS.REQ.USER.INFO',
    ]) {
      assert.equal(await attempt(guest, subject, { amount: 1 }), 'forbidden', subject);
    }
    // This one the server refuses under the name that it maps it to.
    await using raw = await RawNats.connect(attacked.broker.url);
    const refusal = await raw.request('live.evt.accounts.deposited.alice', [], '{"amount":1}');
    assert.match(refusal, /Permissions Violation for Publish to "misdirected\.live\./);
  });

  it('I7 does not hear what other guests send, and so cannot answer in the name of the broker', async () => {
    for (const subject of [
      '>',
      'call.>',
      'cmd.>',
      '$SRV.>',
      '*.accounts.deposit.>',
      'evt.>',
      'res.>',
      'delivered.>',
      '$SYS.>',
    ]) {
      assert.equal(await maySubscribe(guest, subject), false, subject);
    }
    assert.equal(await maySubscribe(guest, 'live.>'), true);
  });

  it('I7 cannot delete the log or forge a record by the reply subject of a command', async () => {
    const headers = { ...STAGED, 'Nats-Batch-Id': 'guest' };
    for (const target of [
      DELETE_LOG,
      PURGE_LOG,
      'evt.accounts.deposited.alice',
      'res.accounts.deposit.alice',
    ]) {
      await redirect(guest, 'cmd.accounts.balance.dave', target, '{}');
      await redirect(guest, 'cmd.accounts.balance.dave', target, '', headers);
      await redirect(guest, 'call.accounts.balance.dave', target, '{}');
      await redirect(guest, '$SRV.PING', target);
    }
    await attacked.logStands();
    const forged = (await attacked.history()).filter(
      ({ kind, agent, id }) => (kind === 'evt' || kind === 'res') && agent === 'alice' && id === null,
    );
    assert.deepEqual(forged, []);
  });

  it('I7 forges nothing of what others see stored by the reply subject of a request', async () => {
    const victim = await connect({ servers: attacked.broker.url });
    const seen: string[] = [];
    victim.subscribe('live.>', { callback: (_, msg) => void seen.push(`${msg.subject} ${msg.string()}`) });
    await victim.flush();
    const asked = [
      ['call.accounts.balance.forger', '{}'],
      ['call.accounts.nothing.forger', '{}'],
      ['call.nobody.at.home', '{}'],
      ['cmd.accounts.balance.forger', '{}'],
      ['cmd.nobody.at.home', '{}'],
      ['schedule.accounts.balance.forger', '{}'],
      ['producer.open', '{}'],
      ['$SRV.INFO', ''],
      ['$SRV.PING.accounts', ''],
    ] as const;
    const targets = ['live.evt.accounts.deposited.forged', 'live.res.accounts.deposit.forged', 'live.forged'];
    for (const [subject, body] of asked)
      for (const target of targets)
        for (const headers of [{}, { 'Nats-Trace-Dest': target }, { 'Nats-Sequence': '1' }])
          await redirect(guest, subject, target, body, headers);
    // What is stored behind all of that is seen.
    await attempt(guest, 'call.accounts.deposit.honest', { amount: 1 });
    await waitFor('the event to be seen', () =>
      seen.some((text) => text.startsWith('live.evt.accounts.deposited.honest ')),
    );
    await victim.close();
    assert.deepEqual(
      seen.filter((text) => text.split(' ')[0]?.includes('forged')),
      [],
    );
  });

  it('hears the replies to other guests, since all share one account, and a token hears none of them', async () => {
    const { seed, publicKey } = newUserKey();
    const body = JSON.stringify({ name: 'apart', publicKey, allow: ['call accounts.*'], ttlMs: null });
    const made = await attacked.operator.request(ACCESS.create, body, { timeout: 30_000 });
    assert.equal(made.json<{ error?: unknown }>().error, undefined);
    const heard = { guest: 0, token: 0 };
    const others = {
      guest: await connect({ servers: attacked.broker.url }),
      token: await connectWith(attacked.broker.url, seed),
    };
    for (const who of ['guest', 'token'] as const) {
      const callback = (): void => {
        heard[who] += 1;
      };
      others[who].subscribe('_INBOX.>', { callback });
      await others[who].flush();
    }
    assert.equal(await attempt(guest, 'call.accounts.balance.private', {}), 'served');
    // SECURITY.md tells it: the server has no identity to keep guests apart by.
    await waitFor('the other guest to hear it', () => heard.guest > 0);
    await others.token.flush();
    assert.equal(heard.token, 0);
    // It hears its own.
    assert.equal(await attempt(others.token, 'call.accounts.balance.private', {}), 'served');
    assert.equal(heard.token, 1);
    await Promise.all([others.guest.close(), others.token.close()]);
  });

  it('I7 is the sender of what it sends, whatever its headers say', async () => {
    const claim = { 'Nats-Request-Info': JSON.stringify({ acc: 'accounts', user: 'accounts' }) };
    const body = { from: 'alice', transfer: 1, amount: 1_000 };
    const headers = makeHeaders();
    for (const [name, value] of Object.entries(claim)) headers.set(name, value);
    const options = { headers, timeout: 10_000 };
    const reply = await guest.request('call.accounts.credit.eve', JSON.stringify(body), options);
    assert.equal(reply.json<{ error: { code: string } }>().error.code, 'CALLER_FORBIDDEN');
    assert.equal(await attempt(guest, 'cmd.accounts.credit.eve', body, claim), 'served');
    await waitFor('the refusal', async () =>
      (await attacked.history()).some(
        ({ kind, agent, payload }) =>
          kind === 'res' && agent === 'eve' && payload.json.includes('CALLER_FORBIDDEN'),
      ),
    );
    assert.deepEqual(await attacked.balance('eve'), { status: 'ok', data: { balance: 0, outgoing: 0 } });
  });

  it('a command without a payload does not hold up what comes behind it', async () => {
    assert.equal(await attempt(guest, 'cmd.accounts.balance.heidi', ''), 'served');
    const options = { timeout: 5_000 };
    const reply = await guest.request('call.accounts.deposit.heidi', '{"amount":1}', options);
    assert.deepEqual(reply.json(), { status: 'ok', data: { balance: 1 } });
  });

  it('a command whose tokens are wildcards is refused, and not stored', async () => {
    // Events of calls before may be stored behind their replies.
    const commands = async () => (await attacked.history()).filter(({ kind }) => kind === 'cmd').length;
    const before = await commands();
    for (const subject of ['cmd.accounts.deposit.*', 'cmd.accounts.>', 'cmd.*.*'])
      assert.equal(await attempt(guest, subject, { amount: 1 }), 'error', subject);
    assert.equal(await commands(), before);
  });
});
