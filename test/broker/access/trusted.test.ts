import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection, nkeyAuthenticator } from 'nats';
import { newUserKey } from '../../../link/nkey.js';
import { GROUPING, Producer, requestedEpochs } from '../../../journal/index.js';
import { ModuleAgents } from '../../../store/snapshots/index.js';
import { type CountTally, NONE } from '../../../modules/burst/tally.js';
import burst from '../../../modules/burst/index.js';
import type { AnyModule } from '../../../modules/sdk/module-shape.js';
import { verifyLog } from '../../../replay/index.js';
import type { Fault } from '../../../schemas/errors.js';
import { encodeJson } from '../../../schemas/json.js';
import { PRODUCER } from '../../../schemas/producer-requests.js';
import { startBroker, type TestBroker, tallystick } from '../../support/broker.js';
import { success } from '../../support/either.js';
import { connectOperator } from '../../support/log-checks.js';
import { PROJECT_ROOT } from '../../support/project-root.js';
import { moduleStatus } from '../../support/modules.js';

const ACCOUNT = 'burst';
const SUBJECT = 'evt.burst.counted.a';

describe('a program that the broker was told to trust with the events of a module', () => {
  const key = newUserKey();
  let broker: TestBroker;
  let nc: NatsConnection;
  let sent = 0;

  const open = async (name: string): Promise<Producer> =>
    success(
      await Producer.open({
        nc,
        name,
        epochs: requestedEpochs({ nc, name, instance: `i${name}`, account: ACCOUNT }),
        grouping: GROUPING.os,
        onReplaced: () => undefined,
      })(),
    );

  const count = async (producer: Producer, times: number): Promise<number> => {
    let last = 0;
    for (let i = 0; i < times; i++) {
      sent += 1;
      last = success(await producer.append({ subject: SUBJECT, data: encodeJson({ p: 0, n: sent }) })()).seq;
    }
    return last;
  };

  const seen = async (atLeast: number): Promise<CountTally> => {
    const agents = new ModuleAgents(ACCOUNT, broker.dataDir);
    try {
      success(await agents.atLeast(atLeast, { timeoutMs: 30_000 })());
      return (agents.get('a')?.state ?? NONE) as CountTally;
    } finally {
      await agents.close();
    }
  };

  before(async () => {
    const module = join(PROJECT_ROOT, 'dist', 'modules', ACCOUNT);
    const args = ['--durability', 'os', '--no-shipped', '--module', module];
    broker = await startBroker({ args: [...args, '--trust', `${ACCOUNT}=${key.publicKey}`] });
    nc = await connect({
      servers: broker.url,
      authenticator: nkeyAuthenticator(new TextEncoder().encode(key.seed)),
    });
  });

  after(async () => {
    await nc?.close();
    await broker?.[Symbol.asyncDispose]();
  });

  it('I2 I6 writes them, and a module without actions folds each as it comes, also after it was killed', async () => {
    const producer = await open('p0');
    assert.deepEqual(await seen(await count(producer, 50)), { count: 50, late: 0, last: [50] });
    const { pid } = await moduleStatus(broker, ACCOUNT, ({ state }) => state === 'loaded');
    process.kill(pid as number, 'SIGKILL');
    const last = await count(producer, 50);
    assert.deepEqual(await seen(last), { count: 100, late: 0, last: [100] });
    await producer.close();

    const operator = await connectOperator(broker.dataDir);
    const modules = [burst as unknown as AnyModule];
    const verified = success(
      await verifyLog({ nc: operator, graceMs: 0, snapshots: { dataDir: broker.dataDir, modules } })(),
    );
    await operator.close();
    assert.deepEqual(verified.verification.findings, []);
    assert.deepEqual(verified.verification.states, [{ module: ACCOUNT, agents: 1 }]);
  });

  it('I1 loses what it had before to the next of its name, and nothing that was stored', async () => {
    const first = await open('p1');
    await count(first, 3);
    const second = success(
      await Producer.open({
        nc,
        name: 'p1',
        epochs: requestedEpochs({ nc, name: 'p1', instance: 'another', account: ACCOUNT }),
        grouping: GROUPING.os,
        onReplaced: () => undefined,
      })(),
    );
    const refused = await first.append({ subject: SUBJECT, data: encodeJson({ p: 0, n: 0 }) })();
    assert.ok(refused._tag === 'Left' && refused.left.code === 'EPOCH_LOST', JSON.stringify(refused));
    const tally = await seen(await count(second, 2));
    assert.equal(tally.count, sent);
    assert.equal(tally.late, 0);
    await second.close();
  });

  it('I7 is refused what is not the events of its module', async () => {
    for (const subject of [
      'evt.accounts.deposited.a',
      'res.burst.count.a',
      'cmd.burst.count.a.guest',
      'ops.status',
    ]) {
      await assert.rejects(nc.request(subject, '{}', { timeout: 2_000 }), /permissions violation/i);
    }
  });

  it('I7 a guest who claims a module is not believed', async () => {
    const guest = await connect({ servers: broker.url });
    const request = { name: 'x', instance: 'i', takeover: true, previous: null, account: ACCOUNT };
    const reply = await guest.request(PRODUCER.open, encodeJson(request), { timeout: 10_000 });
    assert.equal(reply.json<{ producer: string }>().producer, 'guest~x');
    await guest.close();
  });

  it('an account that is none is refused by name', async () => {
    const request = { name: 'x', instance: 'i', takeover: true, previous: null, account: 'no.name' };
    const reply = await nc.request(PRODUCER.open, encodeJson(request), { timeout: 10_000 });
    const { error } = reply.json<{ error: Fault }>();
    assert.equal(error.code, 'PAYLOAD_INVALID');
    assert.equal(error.path, '/account');
  });

  it('a key that is none is wrong usage', async () => {
    for (const wrong of [
      'burst',
      'burst=',
      `=${key.publicKey}`,
      `burst=${key.seed}`,
      `b.c=${key.publicKey}`,
    ]) {
      const { code, stderr } = await tallystick(['start', '--data', broker.dataDir, '--trust', wrong]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /--trust MODULE=NKEY/);
    }
  });
});
