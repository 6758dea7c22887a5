import assert from 'node:assert/strict';
import { notHere } from '../../runner/not-here.js';
import { test } from 'node:test';
import { type Mode, whyNoLossyDisk } from './lossy-disk.js';
import { CRASH_MODES, CRASHES, IS_LONG, MOST_ACKNOWLEDGED, SEED, STRICT_NAMES } from './power-options.js';
import { PowerRig } from './power-rig.js';

const skip = notHere(await whyNoLossyDisk()) ?? false;

test('I1 to I6 hold under fsync when the machine loses power at any moment', { skip }, async (t) => {
  t.diagnostic(`npm run test:power -- --crashes ${CRASHES} --seed ${SEED}`);
  await using rig = await PowerRig.start(SEED, 'fsync', STRICT_NAMES);
  for (let crash = 1; crash <= CRASHES; crash++) {
    const mode = CRASH_MODES[(crash - 1) % CRASH_MODES.length] as Mode;
    let isSound = false;
    await t.test(`crash ${crash}: of what was not synced there is left: ${mode}`, async (its) => {
      // What a broker leaves that ended in peace says that all of it is on the disk: the next one must take that back.
      if (rig.random.next() < 1 / 3) await rig.restart();
      const loss = await rig.underLoad(async (load) => {
        await rig.acknowledged(rig.random.int(1, MOST_ACKNOWLEDGED));
        const told = await rig.losePower(mode);
        load.stop();
        // Once more, with little time in between.
        if (rig.random.next() < 1 / 3) await rig.crashInStart(rig.random.pick(CRASH_MODES));
        await rig.boot();
        return told;
      });
      const records = await rig.verify();
      its.diagnostic(`${JSON.stringify(loss)}; ${records} records verified clean`);
      isSound = true;
    });
    assert.ok(isSound, `crash ${crash} left what is no ground for the next`);
  }
  await rig.verifySnapshots();
  if (IS_LONG) await rig.verifyRebuilt();
  assert.ok(rig.ledger.acknowledged > 0);
  t.diagnostic(`${rig.ledger.acknowledged} acknowledged, ${rig.ledger.answered} answered`);
});
