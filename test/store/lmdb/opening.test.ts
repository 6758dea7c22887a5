import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { follow } from '../../support/children.js';
import { startFolding } from '../../support/folding.js';
import { byForm } from '../../support/form.js';
import { collectLines } from '../../support/lines.js';
import { tempDir } from '../../support/temp-dir.js';

const MS = byForm({ short: 1_500, deep: 15_000, full: 60_000 });
const PROCESSES = 3;

const from = (path: string): string => JSON.stringify(join(import.meta.dirname, '../../../store', path));

/** Opens, uses and closes something, again and again, with pauses, and says how often. */
const program = (imports: string, use: string): string => `
  ${imports}
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  const pause = () => Math.random() < 0.7 && Atomics.wait(nobody, 0, 0, Math.random() * 6);
  const until = performance.now() + ${MS};
  let times = 0;
  for (; performance.now() < until; times++, pause()) { ${use} }
  console.log(times);
`;

const runTogether = async (text: string): Promise<void> => {
  const runs = Array.from({ length: PROCESSES }, async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', text], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, errors] = [collectLines(child.stdout), collectLines(child.stderr)];
    const { code } = await follow(child);
    assert.equal(code, 0, errors.join('\n'));
    assert.ok(Number(out[0]) > 0);
  });
  await Promise.all(runs);
};

describe('processes that open and close a database at the same time, without a writer that keeps it open', () => {
  test('all get the lock of its opening', async () => {
    await using dir = tempDir();
    const open = `const opening = new Opening(${JSON.stringify(dir.path)});`;
    const use = `${open} opening.alone(() => pause()); pause(); await opening.close();`;
    await runTogether(program(`import { Opening } from ${from('lmdb/opening.js')};`, use));
  });

  test('all read it', async () => {
    await using home = tempDir();
    const folding = startFolding({ dataDir: home.path, seed: 3, count: 2_000, agents: 5 });
    await folding.exited;
    const open = `const agents = new ModuleAgents('tally', ${JSON.stringify(home.path)});`;
    const use = `${open} if (!agents.has('agent-0')) throw new Error('no agent'); pause(); await agents.close();`;
    await runTogether(program(`import { ModuleAgents } from ${from('snapshots/index.js')};`, use));
  });
});
