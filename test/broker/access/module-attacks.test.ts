import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { NatsConnection } from 'nats';
import { HEADER } from '../../../schemas/headers.js';
import { natsCli } from '../../support/nats-cli.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { AttackedBroker, DELETE_LOG, PURGE_LOG, STAGED } from './attacked-broker.js';
import { attempt, connectWith, redirect } from './attempts.js';
import { type Loot, readLoot, writeMallory } from './loot.js';

describe('a module', () => {
  let dir: TempDir;
  let attacked: AttackedBroker;
  let mallory: NatsConnection;
  let loot: Loot;

  before(async () => {
    dir = tempDir();
    writeMallory(dir.path);
    attacked = await AttackedBroker.start([dir.path]);
    loot = readLoot(dir.path);
    mallory = await connectWith(attacked.broker.url, loot.seed);
  });

  after(async () => {
    await mallory?.close();
    await attacked?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  it('I7 that names a reply subject gets the answer itself: the log cannot be deleted by redirection', async () => {
    for (const target of [DELETE_LOG, PURGE_LOG, 'TJS.API.STREAM.DELETE.LOG']) {
      await redirect(mallory, 'evt.mallory.seen', target, '{}');
      await redirect(mallory, 'evt.mallory.seen', target, '{}', STAGED);
      await redirect(mallory, 'ctl.mallory.beat', target);
      await redirect(mallory, 'call.accounts.balance.alice', target);
    }
    await attacked.logStands();
  });

  it('I7 cannot acknowledge for another module by naming its acknowledgement as the reply subject', async () => {
    const before = await attacked.checkpoint('accounts');
    const refused = await connectWith(attacked.broker.url, loot.seed);
    const errors: string[] = [];
    void (async () => {
      for await (const status of refused.status()) {
        if (status.type === 'error') errors.push(status.error.message);
      }
    })();
    await redirect(refused, 'evt.mallory.seen', '$JS.ACK.LOG.accounts.1.99.99.1.0', '{}', STAGED);
    await waitFor('the server to refuse', () => errors.some((text) => text.includes('Reply')));
    await refused.close();
    assert.deepEqual(await attacked.checkpoint('accounts'), before);
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
    await attacked.logStands();
    assert.deepEqual(
      (await attacked.history()).filter(({ kind, agent }) => kind === 'evt' && agent === 'alice'),
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
      (await attacked.history()).filter(
        ({ kind, sender, module }) =>
          (kind === 'evt' || kind === 'res') && sender === 'mallory' && module !== 'mallory',
      ),
      [],
    );
  });

  it('I7 asks for no state or result, of another module or under the name of another sender', async () => {
    for (const subject of [
      'state.accounts',
      'state.accounts.alice',
      'state.accounts.alice.mallory',
      'state.accounts.alice.operator',
      'state.mallory.x',
      'result.1',
      'result.1.operator',
    ])
      assert.equal(await attempt(mallory, subject), 'nobody', subject);
  });

  it('I7 sends the commands that its manifest declares, under its own name', async () => {
    assert.equal(await attempt(mallory, 'cmd.accounts.balance.alice', {}), 'served');
    const [sent] = (await attacked.history())
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
    const [called] = (await attacked.history()).filter(
      ({ kind, agent }) => kind === 'cmd' && agent === 'bob',
    );
    assert.equal(called?.sender, 'mallory');
  });

  it('I7 does not start, read, advance or stop another module, and is no operator', async () => {
    const before = await attacked.checkpoint('accounts');
    const epochs = (await attacked.history()).filter(({ kind }) => kind === 'epoch').length;
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
    assert.equal((await attacked.history()).filter(({ kind }) => kind === 'epoch').length, epochs);
    assert.deepEqual(await attacked.checkpoint('accounts'), before);
    await attacked.logStands();
  });

  it('I7 that answers discovery and calls in another name is heard by nobody', async () => {
    let heard = 0;
    for (const subject of ['$SRV.>', 'call.>', 'cmd.>', 'ops.>', 'live.>', 'res.accounts.>', 'delivered.>']) {
      mallory.subscribe(subject, {
        callback: (_, msg) => {
          heard += 1;
          msg.respond(JSON.stringify({ name: 'accounts', id: 'forged', version: '9.9.9' }));
        },
      });
    }
    await mallory.flush();
    const { stdout } = await natsCli(['req', '$SRV.PING', '', '--replies', '0', '--timeout', '500ms'], {
      url: attacked.broker.url,
    });
    assert.match(stdout, /accounts/);
    assert.doesNotMatch(stdout, /forged/);
    assert.deepEqual(await attacked.balance('nobody'), { status: 'ok', data: { balance: 0, outgoing: 0 } });
    assert.equal(heard, 0);
  });

  it('I7 that answers the command of another module answers nobody', async () => {
    const accounts = attacked.broker.ready.modules.find(({ name }) => name === 'accounts');
    assert.ok(accounts);
    process.kill(accounts.pid, 'SIGSTOP');
    try {
      const call = attacked.guest.request('call.accounts.deposit.victim', '{"amount":3}', {
        timeout: 30_000,
      });
      const command = await waitFor('the command to be recorded', async () =>
        (await attacked.history()).find(({ kind, agent }) => kind === 'cmd' && agent === 'victim'),
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
