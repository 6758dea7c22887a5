import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byForm } from '../support/form.js';
import { startCounting, startProducing } from '../support/producing.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { checkSettledLog } from './system-state.js';
import { Told } from './told.js';

const LIVES = byForm({ short: 1, deep: 6, full: 40 });
/** Records on their way at each kill. */
const WINDOW = 500;

for (const durability of ['os', 'fsync'] as const) {
  test(`I1 I2 a program that is killed with -9 amid a burst has in the log what it was told, under ${durability}`, async (t) => {
    await using home = tempDir();
    await using broker = await startCounting(home.path, durability);
    const told = new Told();
    let first = 0;
    for (let life = 0; life < LIVES; life++) {
      const program = startProducing(broker.url, 'bursting', '-', first, 1_000_000, WINDOW);
      const some = 1 + Math.floor(Math.random() * 1_500);
      await waitFor(`${some} to be acknowledged`, () => program.numbers('stored').length >= some, 60_000);
      program.child.kill('SIGKILL');
      await program.exited;
      told.add(program);
      // Numbers that it was told nothing of may be there or not; the next life leaves them alone.
      first = Math.max(first, ...program.numbers('stored')) + 2 * WINDOW;
    }
    assert.deepEqual([...told.refused], []);
    await told.check(broker.dataDir, 'guest~bursting');
    const records = await checkSettledLog(broker.dataDir);
    t.diagnostic(`${LIVES} kills, ${told.stored.size} acknowledged, ${records} records verified clean`);
  });
}
