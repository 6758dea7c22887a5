import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { follow } from '../../support/children.js';
import { byForm } from '../../support/form.js';
import { collectLines } from '../../support/lines.js';
import { tempDir } from '../../support/temp-dir.js';

const OPENING = join(import.meta.dirname, '../../../store/lmdb/opening.js');

/** Opens the lock, holds it open for a moment at times, and closes it, again and again. Says how often. */
const program = (dir: string, ms: number): string => `
  import { Opening } from ${JSON.stringify(OPENING)};
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  const pause = () => Math.random() < 0.7 && Atomics.wait(nobody, 0, 0, Math.random() * 6);
  const until = performance.now() + ${ms};
  let opened = 0;
  for (; performance.now() < until; pause()) {
    const opening = new Opening(${JSON.stringify(dir)});
    opening.alone(() => { opened += 1; });
    pause();
    await opening.close();
  }
  console.log(opened);
`;

test('processes that open and close it at the same time all get the lock, and no writer keeps it open', async () => {
  await using dir = tempDir();
  const ms = byForm({ short: 1_500, deep: 15_000, full: 60_000 });
  const ended = Array.from({ length: 3 }, async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program(dir.path, ms)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, errors] = [collectLines(child.stdout), collectLines(child.stderr)];
    const { code } = await follow(child);
    assert.equal(code, 0, errors.join('\n'));
    assert.ok(Number(out[0]) > 0);
  });
  await Promise.all(ended);
});
