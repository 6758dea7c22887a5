import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect } from 'nats';
import { setTimeout as pause } from 'node:timers/promises';
import { moduleStatuses } from '../../support/modules.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { AttackedBroker } from './attacked-broker.js';
import { connectWith } from './attempts.js';
import { readLoot, writeMallory } from './loot.js';

/** Far above what a module may do in a second. */
const MANY = 2_000;
const FLOOD_AGAIN_MS = 500;
const FLOODS: readonly (readonly [subject: string, payload: string, said: RegExp])[] = [
  ['evt.mallory.seen', '{}', /records of 16 KiB without Tally-Id/],
  ['ctl.mallory.beat', '{"pid":1,"handled":0,"pending":0,"agents":0}', /messages ctl\.mallory\.beat/],
  ['ctl.mallory.start', '{"snapshotSeq":0,"logId":null}', /messages ctl\.mallory\.start/],
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

  for (const [subject, payload, said] of FLOODS) {
    it(`I12 is cut off, its credential too, and others are served: ${subject}`, async () => {
      const before = await waitFor('the module', async () => {
        const status = await mallory();
        if (status.state === 'crashed')
          await attacked.ask('ops.module.reload', { name: 'mallory', untried: true });
        return status.state === 'loaded' ? status : undefined;
      });
      const { seed } = readLoot(dir.path);
      const nc = await connectWith(attacked.broker.url, seed);
      const closed = nc.closed();
      while (!nc.isClosed()) {
        for (let i = 0; i < MANY && !nc.isClosed(); i++) nc.publish(subject, payload);
        // A moment after the cut before, the broker waits for what that module sent until then.
        await Promise.race([pause(FLOOD_AGAIN_MS), closed]);
      }
      await waitFor('the reason', () => attacked.broker.stderr.some((line) => said.test(line)));
      await waitFor('another process', async () => {
        const { state, pid } = await mallory();
        // Too many cuts park it, as too many crashes do.
        return state === 'crashed' || (state === 'loaded' && pid !== before.pid) ? true : undefined;
      });
      await assert.rejects(connectWith(attacked.broker.url, seed));
      await attacked.logStands();
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
