import assert from 'node:assert/strict';
import { notHere } from '../../runner/not-here.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Memory } from '../../../broker/log/witness-file.js';
import { checkLog } from '../../support/log-checks.js';
import { waitFor } from '../../support/wait-for.js';
import { brokerStatus } from '../../support/broker-status.js';
import { type Mode, whyNoLossyDisk } from './lossy-disk.js';
import { CRASH_MODES, IS_LONG, MOST_ACKNOWLEDGED, SEED } from './power-options.js';
import { PowerRig } from './power-rig.js';

const skip = notHere(await whyNoLossyDisk()) ?? false;
const MODES: readonly Mode[] = IS_LONG ? CRASH_MODES : ['nothing'];

/** Up to where the broker has written down what it saw of the log. */
const seenUpTo = (dataDir: string): number => {
  const [line = ''] = readFileSync(join(dataDir, 'witness'), 'utf8').split('\n');
  return (JSON.parse(line) as Memory).marks.at(-1)?.seq ?? 0;
};

for (const mode of MODES) {
  test(`I9 under os the broker comes up after a loss of power, and names what it lost of what it had seen (${mode})`, {
    skip,
  }, async (t) => {
    t.diagnostic(`seed ${SEED}`);
    await using rig = await PowerRig.start(SEED, 'os');
    await rig.underLoad(() => rig.acknowledged(MOST_ACKNOWLEDGED));
    const { lastSeq } = (await rig.settle()).log;
    await waitFor('the broker to have seen all of it', () => seenUpTo(rig.dataDir) >= lastSeq);
    await rig.losePower(mode);
    await rig.boot();

    const against = rig.ledger.check();
    await checkLog(rig.dataDir, against.add);
    const lost = against.findings().filter((finding) => finding.startsWith('I1')).length;
    const { losses, log } = await brokerStatus(rig.dataDir);
    const codes = losses.map(({ code }) => code);
    t.diagnostic(
      `${lost} acknowledged records lost of ${rig.ledger.acknowledged}; said: ${codes.join(' ')}; ends at ${log.lastSeq}`,
    );
    if (mode === 'nothing') assert.ok(lost > 0, 'the system has synced what nobody asked it to');
    if (lost > 0) assert.ok(codes.length > 0, 'it is lost in silence');
    for (const { seenSeq } of losses) assert.equal(seenSeq, lastSeq);
    assert.equal(
      rig.broker.stderr.some((line) => codes.some((code) => line.includes(code))),
      codes.length > 0,
    );

    // What is there is a whole log again, and goes on as one.
    rig.forget();
    await rig.prepare();
    await rig.underLoad(() => rig.acknowledged(MOST_ACKNOWLEDGED));
    await rig.verify();
    await rig.verifySnapshots();
    if (IS_LONG) await rig.verifyRebuilt();
  });
}
