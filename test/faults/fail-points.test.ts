import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'nats';
import { FAIL_POINTS, type FailPoint } from '../../system/processes/fail-point.js';
import { checkLog } from '../support/log-checks.js';
import type { Seeded } from '../support/seeded.js';
import { failAt, failTogether, isPassedUnderLoad, processesAt } from './fail-rounds.js';
import { FaultRig } from './fault-rig.js';
import { BROKER_POINTS, DURABILITY, MODULE_POINTS, POINTS, SEED, TIMES, TOGETHER } from './kill-options.js';
import { settled } from './system-state.js';
import { PATIENT } from '../support/patient.js';

const isOfBroker = (point: FailPoint): boolean => processesAt(point).includes('broker');

/** Some of them, by lot, in their order. */
const drawn = (random: Seeded, points: readonly FailPoint[], count: number): readonly FailPoint[] => {
  const left = [...points];
  while (left.length > count) left.splice(random.int(0, left.length - 1), 1);
  return left;
};

/** All points that are asked for; by default some of the modules' and some of the broker's. */
const pointsFor = (random: Seeded): readonly FailPoint[] => {
  // Records are grouped under `fsync` only.
  const passed = FAIL_POINTS.filter(
    (point) => isPassedUnderLoad(point) && (DURABILITY === 'fsync' || point !== 'journal.batching'),
  );
  if (TIMES !== undefined || POINTS !== '') return passed.filter((point) => point.startsWith(POINTS));
  const ofModules = passed.filter((point) => !isOfBroker(point));
  const ofBroker = passed.filter(isOfBroker);
  return [...drawn(random, ofModules, MODULE_POINTS), ...drawn(random, ofBroker, BROKER_POINTS)];
};

/** A command whose handler calls others; itself it waits for no reply. */
const order = async (url: string): Promise<void> => {
  const nc = await connect({ servers: url });
  const data = { item: 'item-0', quantity: 1, unitPrice: 1, customer: 'agent-0' };
  await nc.request('cmd.orders.place.order-lost', JSON.stringify(data), PATIENT);
  await nc.close();
};

test('I1 to I6 hold whatever is killed at whichever fail-point', async (t) => {
  const given = TIMES === undefined ? '' : ` --times ${TIMES}`;
  t.diagnostic(`npm run test:kills -- --seed ${SEED} --durability ${DURABILITY}${given}`);
  await using rig = await FaultRig.start(SEED, DURABILITY);
  await t.test(
    'I3 a handler whose answer is lost with the connection of the broker asks again, and has the answer in time',
    async () => {
      await rig.plan('broker', ['gateway.answered@1:cut']);
      await order(rig.url);
      await rig.hasFired('broker', 'gateway.answered', 1);
      await settled(rig.dataDir);
      // A handler that waited for the lost answer would have run out of time.
      const { statuses } = await checkLog(rig.dataDir);
      const placed = [...statuses.keys()].filter((status) => status.startsWith('orders.place '));
      assert.equal(placed.length, 1);
      assert.notEqual(placed[0], 'orders.place HANDLER_TIMEOUT');
    },
  );
  for (const point of pointsFor(rig.random)) {
    const processes = processesAt(point);
    const times = TIMES ?? (isOfBroker(point) ? 1 : 2);
    await t.test(`I1 to I5 hold when ${processes.join(' or ')} is cut off and killed at ${point}`, () =>
      rig.underLoad(() => failAt(rig, point, times)),
    );
  }
  for (let round = 1; round <= TOGETHER; round++) {
    await t.test(
      `I1 to I5 hold when modules, server and broker fail together, round ${round}`,
      async (its) => {
        await rig.underLoad(async () => its.diagnostic(await failTogether(rig)));
      },
    );
  }
  const { sent, acknowledged, answered } = rig.ledger;
  assert.ok(answered > 0);
  t.diagnostic(`${sent} requests were sent, ${acknowledged} acknowledged, ${answered} answered`);
  await rig.verifyRebuilt();
});
