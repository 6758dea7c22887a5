import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { NatsConnection } from 'nats';
import { waitFor } from '../../support/wait-for.js';
import { AttackedBroker, DELETE_LOG } from './attacked-broker.js';
import { attempt } from './attempts.js';

describe('the operator', () => {
  let attacked: AttackedBroker;
  let operator: NatsConnection;

  before(async () => {
    attacked = await AttackedBroker.start();
    ({ operator } = attacked);
    // The log has one event.
    await attacked.logStands();
  });
  after(() => attacked?.[Symbol.asyncDispose]());

  it('reads the log, and makes and removes its consumers', async () => {
    assert.equal(await attempt(operator, '$JS.API.STREAM.INFO.LOG'), 'served');
    const config = { name: 'mine', durable_name: 'mine', ack_policy: 'explicit', filter_subject: 'evt.>' };
    const request = { stream_name: 'LOG', config };
    assert.equal(await attempt(operator, '$JS.API.CONSUMER.CREATE.LOG.mine.evt.>', request), 'served');
    const next = await operator.request('$JS.API.CONSUMER.MSG.NEXT.LOG.mine', '{"batch":1}', {
      timeout: 10_000,
      noMux: true,
    });
    assert.match(next.subject, /^evt\./);
    assert.equal(await attempt(operator, '$JS.API.CONSUMER.DELETE.LOG.mine'), 'served');
  });

  it('I7 does not update, purge or delete the log, and makes no stream', async () => {
    const { config } = await attacked.ask<{ config: object }>('$JS.API.STREAM.INFO.LOG');
    const requests: readonly (readonly [string, unknown])[] = [
      ['STREAM.UPDATE.LOG', { ...config, deny_purge: false, deny_delete: false }],
      ['STREAM.PURGE.LOG', ''],
      ['STREAM.DELETE.LOG', ''],
      ['STREAM.MSG.DELETE.LOG', { seq: 1 }],
      ['STREAM.RESTORE.LOG', {}],
      ['STREAM.CREATE.OTHER', { name: 'OTHER', subjects: ['other'] }],
      ['CONSUMER.PAUSE.LOG.accounts', {}],
      ['CONSUMER.RESET.LOG.accounts', { seq: 1 }],
      ['CONSUMER.DURABLE.CREATE.LOG.mine', { stream_name: 'LOG', config: { durable_name: 'mine' } }],
    ];
    for (const [call, body] of requests) {
      assert.notEqual(await attempt(operator, `$JS.API.${call}`, body), 'served', call);
    }
    await attacked.logStands();
  });

  it('I7 writes commands only, under its own name', async () => {
    assert.equal(await attempt(operator, 'cmd.accounts.deposit.frank', { amount: 1 }), 'served');
    const [sent] = (await attacked.history()).filter(
      ({ kind, agent }) => kind === 'cmd' && agent === 'frank',
    );
    assert.equal(sent?.sender, 'operator');
    for (const subject of [
      'evt.accounts.deposited.alice',
      'res.accounts.deposit.alice',
      'epoch.broker',
      'ctl.accounts.start',
    ]) {
      assert.equal(await attempt(operator, subject, { amount: 1 }), 'nobody', subject);
    }
  });

  it('I7 makes no consumer that is sent to a subject: the server would send there inside the account of the log', async () => {
    for (const target of ['live.res.accounts.deposit.alice', 'ctl.accounts.start', DELETE_LOG]) {
      // The server reads keys in any case of letters.
      for (const field of ['deliver_subject', 'Deliver_Subject', 'DELIVER_SUBJECT']) {
        const config = {
          name: 'sent',
          ack_policy: 'none',
          filter_subject: 'cmd.accounts.>',
          [field]: target,
        };
        const request = { stream_name: 'LOG', config };
        const subject = '$JS.API.CONSUMER.CREATE.LOG.sent.cmd.accounts.>';
        assert.equal(await attempt(operator, subject, request), 'error', field);
      }
    }
    const { consumers } = await attacked.ask<{ consumers: readonly string[] }>('$JS.API.CONSUMER.NAMES.LOG');
    assert.ok(!consumers.includes('sent'));
  });

  it('I7 has what it pulls passed on to where records are delivered, and nowhere else', async () => {
    const request = { stream_name: 'LOG', config: { name: 'passed', ack_policy: 'none' } };
    assert.equal(await attempt(operator, '$JS.API.CONSUMER.CREATE.LOG.passed', request), 'served');
    const seen: string[] = [];
    operator.subscribe('delivered.mine.>', { callback: (_, msg) => void seen.push(msg.subject) });
    for (const place of [
      'live.res.accounts.deposit.alice',
      'mine',
      'mine.x',
      'mi-ne.1',
      '*.1',
      '>.1',
      '1.1.1',
    ]) {
      assert.equal(
        await attempt(operator, `consumer.next.LOG.passed.${place}`, { batch: 1 }),
        'error',
        place,
      );
    }
    for (const name of ['*', '>', 'pas*'])
      assert.equal(await attempt(operator, `consumer.next.LOG.${name}.mine.1`, { batch: 1 }), 'error', name);
    assert.equal(seen.length, 0);
    operator.publish('consumer.next.LOG.passed.mine.1', '{"batch":2}');
    await waitFor('two records', () => seen.length === 2);
    assert.ok(seen.every((subject) => /^(cmd|res|evt|epoch)\./.test(subject)));
    await attacked.logStands();
  });

  it('I7 does not take, acknowledge, change or remove what a module is sent', async () => {
    for (const subject of [
      '$JS.API.CONSUMER.MSG.NEXT.LOG.accounts',
      '$JS.API.CONSUMER.MSG.NEXT.LOG.accounts~fold',
      'consumer.next.LOG.accounts.mine.1',
      'consumer.next.LOG.accounts~fold.mine.1',
      '$JS.API.CONSUMER.DELETE.LOG.accounts',
      '$JS.ACK.LOG.accounts.1.9.9.1.0',
      '$JS.ACK._.hash.LOG.accounts.1.9.9.1.0',
    ]) {
      assert.equal(await attempt(operator, subject, ''), 'forbidden', subject);
    }
    const config = {
      name: 'accounts',
      durable_name: 'accounts',
      ack_policy: 'all',
      filter_subject: 'cmd.orders.>',
    };
    const request = { stream_name: 'LOG', config, action: 'update' };
    const subject = '$JS.API.CONSUMER.CREATE.LOG.accounts.cmd.orders.>';
    assert.equal(await attempt(operator, subject, request), 'error');
    await attacked.logStands();
  });
});
