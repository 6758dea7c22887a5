import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { SourceWatch } from '../../bin/dev/source-watch.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

test('a save is reported also after its folder was removed and came back, however fast', async (t) => {
  await using home = tempDir();
  const folder = join(home.path, 'modules');
  const file = join(folder, 'counter.ts');
  mkdirSync(folder);
  writeFileSync(file, '0');
  const changed: string[] = [];
  const watch = new SourceWatch((paths) => changed.push(...paths));
  t.after(() => watch.close());
  watch.add([file], Date.now());
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const gaps = fc.sample(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.boolean()), { seed, numRuns: 12 });
  for (const [i, [ms, isSavedOnce]] of gaps.entries()) {
    rmSync(folder, { recursive: true });
    if (ms > 0) await pause(ms);
    mkdirSync(folder);
    writeFileSync(file, `back ${i}`);
    changed.splice(0);
    await waitFor(`the file of round ${i}, ${ms} ms`, () => changed.includes(file), 10_000);
    if (isSavedOnce) continue;
    changed.splice(0);
    writeFileSync(file, `saved ${i}`);
    await waitFor(`the save of round ${i}, ${ms} ms`, () => changed.includes(file), 10_000);
  }
  assert.equal(gaps.length, 12);
});
