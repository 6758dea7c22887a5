import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, headers, type MsgHdrs } from 'nats';
import { setTimeout as pause } from 'node:timers/promises';
import { byForm } from '../../support/form.js';
import { moduleStatuses } from '../../support/modules.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { AttackedBroker } from './attacked-broker.js';
import { connectWith } from './attempts.js';
import { readLoot, writeMallory } from './loot.js';

/** Far above what a module may do in a second. */
const MANY = 10_000;
const FLOOD_AGAIN_MS = 500;
const UNREAD = /messages that no part of the broker reads/;
/** The server would hold them, and no record would tell of them. */
const openBatch = (i: number): MsgHdrs => {
  const sent = headers();
  sent.set('Nats-Batch-Id', `b${Math.floor(i / 500)}`);
  sent.set('Nats-Batch-Sequence', String((i % 500) + 1));
  return sent;
};
type ModuleFlood = readonly [subject: string, payload: string, said: RegExp, of?: (i: number) => MsgHdrs];
const FLOODS: readonly ModuleFlood[] = [
  ['evt.mallory.seen', '{}', /records of 16 KiB without Tally-Id|no part of the broker reads/],
  [
    'ctl.mallory.beat',
    '{"pid":1,"handled":0,"pending":0,"agents":0}',
    /messages ctl\.mallory\.beat|no part of the broker/,
  ],
  [
    'ctl.mallory.start',
    '{"snapshotSeq":0,"logId":null}',
    /messages ctl\.mallory\.start|no part of the broker/,
  ],
  // The broker answers what the server would answer without end.
  ['TJS.API.CONSUMER.INFO.LOG.mallory', '', /messages ctl\.mallory\.consumer|no part of the broker/],
  ['TJS.API.CONSUMER.MSG.NEXT.LOG.mallory', '{"batch":1,"no_wait":true,"group":"host"}', UNREAD],
  ['evt.mallory.seen', '{}', UNREAD, openBatch],
  ['nobody.hears.this', '{}', UNREAD],
];

describe('a module that floods the broker', () => {
  let dir: TempDir;
  let attacked: AttackedBroker;

  before(async () => {
    dir = tempDir();
    writeMallory(dir.path);
    attacked = await AttackedBroker.start([dir.path]);
  });

  after(async () => {
    await attacked?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  const mallory = async () => {
    const status = (await moduleStatuses(attacked.broker)).get('mallory');
    assert.ok(status !== undefined);
    return status;
  };

  for (const [subject, payload, said, of] of byForm({ short: FLOODS.slice(1, 2), deep: FLOODS })) {
    const flood = of === undefined ? subject : `${subject}, in batches`;
    it(`I12 is cut off, its credential too, and others are served: ${flood}`, async () => {
      const before = await waitFor('the module', async () => {
        const status = await mallory();
        if (status.state === 'crashed')
          await attacked.ask('ops.module.reload', { name: 'mallory', untried: true });
        return status.state === 'loaded' ? status : undefined;
      });
      const { seed } = readLoot(dir.path);
      const nc = await connectWith(attacked.broker.url, seed);
      const closed = nc.closed();
      const from = attacked.broker.stderr.length;
      for (let number = 0; !nc.isClosed(); ) {
        for (let i = 0; i < MANY && !nc.isClosed(); i++, number++)
          nc.publish(subject, payload, of === undefined ? {} : { headers: of(number) });
        // What nobody reads is looked at while the log grows.
        await attacked.guest
          .request('call.accounts.deposit.other', '{"amount":1}', { timeout: 2_000 })
          .catch(() => undefined);
        // A moment after the cut before, the broker waits for what that module sent until then.
        await Promise.race([pause(FLOOD_AGAIN_MS), closed]);
      }
      await waitFor('the reason', () => attacked.broker.stderr.slice(from).some((line) => said.test(line)));
      await waitFor('another process', async () => {
        const { state, pid } = await mallory();
        // Too many cuts park it, as too many crashes do.
        return state === 'crashed' || (state === 'loaded' && pid !== before.pid) ? true : undefined;
      });
      await assert.rejects(connectWith(attacked.broker.url, seed));
      // A server that is started again, to forget what the flood left in it, answers no call that was on its way.
      await waitFor('the log to stand', () => attacked.logStands(10_000).then(() => true), 60_000);
    });
  }
});

describe('many connections of one account', () => {
  const CONNECTIONS = 32;
  const IN_FLIGHT = 32;
  const CALLS = 40;
  /** Between two calls of another account; with turns by connection alone it was 8 for each connection. */
  const MOST_BETWEEN = 128;

  it('I12 have no more turns than another account with one connection', async (t) => {
    await using attacked = await AttackedBroker.start();
    const { url } = attacked.broker;
    const many = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect({ servers: url })));
    let [isOn, answers] = [true, 0];
    const flood = async (i: number): Promise<void> => {
      const nc = many[i % CONNECTIONS];
      while (isOn) {
        await nc?.request(`call.accounts.deposit.flood-${i}`, '{"amount":1}', { timeout: 60_000 });
        answers += 1;
      }
    };
    const floods = Array.from({ length: CONNECTIONS * IN_FLIGHT }, (_, i) => flood(i));
    try {
      const between: number[] = [];
      for (let i = 0; i < CALLS; i++) {
        const from = answers;
        await attacked.ask('call.accounts.deposit.other', { amount: 1 });
        between.push(answers - from);
      }
      between.sort((a, b) => a - b);
      t.diagnostic(`answers to the flood during one call of another: ${between.join(' ')}`);
      assert.ok((between[CALLS >> 1] as number) <= MOST_BETWEEN);
    } finally {
      isOn = false;
      await Promise.all(floods);
      await Promise.all(many.map((nc) => nc.close()));
    }
  });
});
