import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ConsumerInfo } from '@nats-io/jetstream';
import { connect, headers as makeHeaders, type NatsConnection } from 'nats';
import { readLog } from '../../../journal/read/reader.js';
import { HEADER } from '../../../schemas/headers.js';
import { type HistoryRecord, toHistory } from '../../../schemas/record.js';
import { connectOperator } from '../../support/log-checks.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { natsCli } from '../../support/nats-cli.js';
import { RawNats } from '../../support/raw-nats.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { attempt, connectWith, maySubscribe, redirect } from './attempts.js';
import { type Loot, readLoot, writeMallory } from './loot.js';

const DELETE_LOG = '$JS.API.STREAM.DELETE.LOG';
const PURGE_LOG = '$JS.API.STREAM.PURGE.LOG';
/** The first message of an atomic batch: the server's acknowledgement of it is empty, as a request to delete is. */
const STAGED = { 'Nats-Batch-Id': 'b', 'Nats-Batch-Sequence': '1' };

describe('what a credential does not allow', () => {
  let dir: TempDir;
  let broker: TestBroker;
  let mallory: NatsConnection;
  let guest: NatsConnection;
  let operator: NatsConnection;
  let loot: Loot;
  let created: string;

  before(async () => {
    dir = tempDir();
    writeMallory(dir.path);
    broker = await startBroker({ shipped: ['accounts'], args: ['--module', dir.path] });
    loot = readLoot(dir.path);
    mallory = await connectWith(broker.url, loot.seed);
    guest = await connect({ servers: broker.url });
    operator = await connectOperator(broker.dataDir);
    created = await createdAt();
  });

  after(async () => {
    await Promise.all([mallory?.close(), guest?.close(), operator?.close()]);
    await broker?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  const ask = async <T>(subject: string, body: unknown = ''): Promise<T> => {
    const data = body === '' ? '' : JSON.stringify(body);
    return (await operator.request(subject, data, { timeout: 10_000 })).json<T>();
  };
  const createdAt = async (): Promise<string> =>
    (await ask<{ created: string }>('$JS.API.STREAM.INFO.LOG')).created;
  const history = async (): Promise<HistoryRecord[]> => {
    const records: HistoryRecord[] = [];
    for await (const message of readLog(operator)) records.push(toHistory(message));
    return records;
  };
  /** Where a module's consumer stands, once the module has acknowledged what it was sent. */
  const checkpoint = (module: string): Promise<object> =>
    waitFor('all to be acknowledged', async () => {
      const { delivered, ack_floor, num_ack_pending, num_pending } = await ask<ConsumerInfo>(
        `$JS.API.CONSUMER.INFO.LOG.${module}`,
      );
      return num_ack_pending + num_pending === 0 && { delivered, ack_floor };
    });
  const balance = async (agent: string): Promise<unknown> =>
    (await guest.request(`call.accounts.balance.${agent}`, '{}', { timeout: 10_000 })).json();

  /** The log is the one that was there, holds what it held, and still takes and answers calls. */
  const logStands = async (): Promise<void> => {
    const reply = await guest.request('call.accounts.deposit.witness', '{"amount":1}', { timeout: 30_000 });
    assert.equal(reply.json<{ status: string }>().status, 'ok');
    assert.equal(await createdAt(), created);
    const records = await history();
    assert.deepEqual(
      records.map(({ seq }) => seq),
      records.map((_, i) => i + 1),
    );
  };

  describe('a module', () => {
    it('I7 that names a reply subject gets the answer itself: the log cannot be deleted by redirection', async () => {
      for (const target of [DELETE_LOG, PURGE_LOG, 'TJS.API.STREAM.DELETE.LOG']) {
        await redirect(mallory, 'evt.mallory.seen', target, '{}');
        await redirect(mallory, 'evt.mallory.seen', target, '{}', STAGED);
        await redirect(mallory, 'ctl.mallory.beat', target);
        await redirect(mallory, 'call.accounts.balance.alice', target);
      }
      await logStands();
    });

    it('I7 cannot acknowledge for another module by naming its acknowledgement as the reply subject', async () => {
      const before = await checkpoint('accounts');
      const refused = await connectWith(broker.url, loot.seed);
      const errors: string[] = [];
      void (async () => {
        for await (const status of refused.status()) {
          if (status.type === 'error') errors.push(status.error.message);
        }
      })();
      await redirect(refused, 'evt.mallory.seen', '$JS.ACK.LOG.accounts.1.99.99.1.0', '{}', STAGED);
      await waitFor('the server to refuse', () => errors.some((text) => text.includes('Reply')));
      await refused.close();
      assert.deepEqual(await checkpoint('accounts'), before);
    });

    it('I7 cannot forge an event of another module by having the server send it what is stored', async () => {
      // What is delivered is a payload of the attacker's choice, on a subject of the attacker's choice.
      assert.equal(await attempt(mallory, 'cmd.mallory.act.x', { amount: 1_000_000 }), 'served');
      const target = 'evt.accounts.deposited.alice';
      await redirect(mallory, 'TJS.API.CONSUMER.MSG.NEXT.LOG.mallory', target, { batch: 1 });
      for (const api of ['$JS.API', 'TJS.API']) {
        await redirect(mallory, `${api}.DIRECT.GET.LOG`, target, { seq: 1 });
        await redirect(mallory, `${api}.DIRECT.GET.LOG.cmd.mallory.act.x.mallory`, target);
        await redirect(mallory, `${api}.STREAM.MSG.GET.LOG`, target, { seq: 1 });
      }
      await logStands();
      assert.deepEqual(
        (await history()).filter(({ kind, agent }) => kind === 'evt' && agent === 'alice'),
        [],
      );
    });

    it('I7 publishes its own events and results only', async () => {
      assert.equal(await attempt(mallory, 'evt.mallory.seen', {}), 'served');
      for (const subject of [
        'evt.accounts.deposited.alice',
        'res.accounts.deposit.alice',
        'epoch.mallory',
        'epoch.accounts',
        'epoch.broker',
        'live.res.accounts.deposit.alice',
      ]) {
        assert.equal(await attempt(mallory, subject, { amount: 1 }), 'nobody', subject);
      }
      assert.deepEqual(
        (await history()).filter(
          ({ kind, sender, module }) =>
            (kind === 'evt' || kind === 'res') && sender === 'mallory' && module !== 'mallory',
        ),
        [],
      );
    });

    it('I7 sends the commands that its manifest declares, under its own name', async () => {
      assert.equal(await attempt(mallory, 'cmd.accounts.balance.alice', {}), 'served');
      const [sent] = (await history())
        .filter(({ kind, agent }) => kind === 'cmd' && agent === 'alice')
        .slice(-1);
      assert.equal(sent?.sender, 'mallory');
      for (const subject of [
        'cmd.accounts.deposit.alice',
        'cmd.accounts.balance.alice.accounts',
        'cmd.accounts.balance.alice.mallory',
        'cmd.accounts.credit.alice',
        'cmd.orders.place.order-1',
        'call.accounts.deposit.alice',
      ]) {
        assert.equal(await attempt(mallory, subject, { amount: 1 }), 'nobody', subject);
      }
      // A header that claims another account is replaced by the server.
      const claim = { 'Nats-Request-Info': JSON.stringify({ acc: 'accounts' }) };
      assert.equal(await attempt(mallory, 'call.accounts.balance.bob', {}, claim), 'served');
      const [called] = (await history()).filter(({ kind, agent }) => kind === 'cmd' && agent === 'bob');
      assert.equal(called?.sender, 'mallory');
    });

    it('I7 does not start, read, advance or stop another module, and is no operator', async () => {
      const before = await checkpoint('accounts');
      const epochs = (await history()).filter(({ kind }) => kind === 'epoch').length;
      for (const subject of [
        'ctl.accounts.start',
        'ctl.accounts.ready',
        'ops.status',
        'ops.module.unload',
        'consumer.create.LOG.mine',
        'TJS.API.CONSUMER.MSG.NEXT.LOG.accounts',
        'TJS.API.CONSUMER.MSG.NEXT.LOG.accounts~fold',
        'TJS.API.CONSUMER.INFO.LOG.accounts',
        'TJS.API.CONSUMER.CREATE.LOG.mine',
        'TJS.API.CONSUMER.RESET.LOG.mallory',
        '$JS.ACK.LOG.accounts.1.9.9.1.0',
        '$SYS.REQ.SERVER.PING',
      ]) {
        assert.equal(await attempt(mallory, subject, { name: 'accounts' }), 'nobody', subject);
      }
      for (const call of ['CONSUMER.MSG.NEXT.LOG.accounts', 'CONSUMER.CREATE.LOG.mine', 'STREAM.INFO.LOG']) {
        assert.notEqual(await attempt(mallory, `$JS.API.${call}`, {}), 'served', call);
      }
      assert.equal((await history()).filter(({ kind }) => kind === 'epoch').length, epochs);
      assert.deepEqual(await checkpoint('accounts'), before);
      await logStands();
    });

    it('I7 that answers discovery and calls in another name is heard by nobody', async () => {
      let heard = 0;
      for (const subject of [
        '$SRV.>',
        'call.>',
        'cmd.>',
        'ops.>',
        'live.>',
        'res.accounts.>',
        'delivered.>',
      ]) {
        mallory.subscribe(subject, {
          callback: (_, msg) => {
            heard += 1;
            msg.respond(JSON.stringify({ name: 'accounts', id: 'forged', version: '9.9.9' }));
          },
        });
      }
      await mallory.flush();
      const { stdout } = await natsCli(['req', '$SRV.PING', '', '--replies', '0', '--timeout', '500ms'], {
        url: broker.url,
      });
      assert.match(stdout, /accounts/);
      assert.doesNotMatch(stdout, /forged/);
      assert.deepEqual(await balance('nobody'), { status: 'ok', data: { balance: 0, outgoing: 0 } });
      assert.equal(heard, 0);
    });

    it('I7 that answers the command of another module answers nobody', async () => {
      const accounts = broker.ready.modules.find(({ name }) => name === 'accounts');
      assert.ok(accounts);
      process.kill(accounts.pid, 'SIGSTOP');
      try {
        const call = guest.request('call.accounts.deposit.victim', '{"amount":3}', { timeout: 30_000 });
        const command = await waitFor('the command to be recorded', async () =>
          (await history()).find(({ kind, agent }) => kind === 'cmd' && agent === 'victim'),
        );
        const forged = { status: 'ok', data: { balance: 1_000_000 } };
        const cause = { [HEADER.cause]: String(command.seq), [HEADER.conversation]: String(command.seq) };
        assert.equal(await attempt(mallory, 'res.mallory.act.victim', forged, cause), 'served');
        assert.equal(await attempt(mallory, 'res.mallory.deposit.victim', forged, cause), 'served');
        process.kill(accounts.pid, 'SIGCONT');
        assert.deepEqual((await call).json(), { status: 'ok', data: { balance: 3 } });
      } finally {
        process.kill(accounts.pid, 'SIGCONT');
      }
    });

    it('has in its environment what it needs, and nothing of the environment of the broker', () => {
      const own = Object.keys(loot.environment).filter(
        (name) => name.startsWith('NATS_') || name === 'TALLYSTICK_BIN',
      );
      assert.deepEqual(own, []);
    });
  });

  describe('the guest', () => {
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
      const senders = (await history()).filter(({ kind, agent }) => kind === 'cmd' && agent === 'carol');
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
      await using raw = await RawNats.connect(broker.url);
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
      await logStands();
      const forged = (await history()).filter(
        ({ kind, agent, id }) => (kind === 'evt' || kind === 'res') && agent === 'alice' && id === null,
      );
      assert.deepEqual(forged, []);
    });

    it('I7 forges nothing of what others see stored by the reply subject of a request', async () => {
      const victim = await connect({ servers: broker.url });
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
      const targets = [
        'live.evt.accounts.deposited.forged',
        'live.res.accounts.deposit.forged',
        'live.forged',
      ];
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
        (await history()).some(
          ({ kind, agent, payload }) =>
            kind === 'res' && agent === 'eve' && payload.json.includes('CALLER_FORBIDDEN'),
        ),
      );
      assert.deepEqual(await balance('eve'), { status: 'ok', data: { balance: 0, outgoing: 0 } });
    });

    it('a command without a payload does not hold up what comes behind it', async () => {
      assert.equal(await attempt(guest, 'cmd.accounts.balance.heidi', ''), 'served');
      const options = { timeout: 5_000 };
      const reply = await guest.request('call.accounts.deposit.heidi', '{"amount":1}', options);
      assert.deepEqual(reply.json(), { status: 'ok', data: { balance: 1 } });
    });

    it('a command whose tokens are wildcards is refused, and not stored', async () => {
      const before = (await history()).length;
      for (const subject of ['cmd.accounts.deposit.*', 'cmd.accounts.>', 'cmd.*.*'])
        assert.equal(await attempt(guest, subject, { amount: 1 }), 'error', subject);
      assert.equal((await history()).length, before);
    });
  });

  describe('the operator', () => {
    it('reads the log, and makes and removes consumers of its own', async () => {
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
      const { config } = await ask<{ config: object }>('$JS.API.STREAM.INFO.LOG');
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
      await logStands();
    });

    it('I7 writes commands only, under its own name', async () => {
      assert.equal(await attempt(operator, 'cmd.accounts.deposit.frank', { amount: 1 }), 'served');
      const [sent] = (await history()).filter(({ kind, agent }) => kind === 'cmd' && agent === 'frank');
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
      const { consumers } = await ask<{ consumers: readonly string[] }>('$JS.API.CONSUMER.NAMES.LOG');
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
        assert.equal(
          await attempt(operator, `consumer.next.LOG.${name}.mine.1`, { batch: 1 }),
          'error',
          name,
        );
      assert.equal(seen.length, 0);
      operator.publish('consumer.next.LOG.passed.mine.1', '{"batch":2}');
      await waitFor('two records', () => seen.length === 2);
      assert.ok(seen.every((subject) => /^(cmd|res|evt|epoch)\./.test(subject)));
      await logStands();
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
      await logStands();
    });
  });
});
