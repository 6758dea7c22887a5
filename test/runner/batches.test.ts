import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BATCH_FILES, batchesOf, canShare, isNoticed, SHARING } from './batches.js';
import { testFiles } from './test-files.js';
import { tierOf } from './tiers.js';

// Pieces, so that this file does not contain what it looks for.
const PROCESS = 'process';
const GLOBAL = 'global';

describe('the test files that share a process', () => {
  it('change nothing that the next file could notice', () => {
    for (const text of [
      `${PROCESS}.env.COLUMNS = '80';`,
      `delete ${PROCESS}.env.COLUMNS;`,
      `${PROCESS}.env = {};`,
      `${PROCESS}.chdir(dir);`,
      `${PROCESS}.on('exit', () => {});`,
      `${PROCESS}.exitCode = 0;`,
      `${PROCESS}['exit']();`,
      `${PROCESS}.cpuUsage()`,
      `${GLOBAL}This.fetch = undefined;`,
      'import { mo' + "ck } from 'node:test';",
      "import { spawn } from 'node:" + "child_process';",
      "import { Worker } from 'node:" + "worker_threads';",
      '\nbeforeEach(() => {});',
    ])
      assert.ok(isNoticed(text), text);
    for (const text of [
      `const node = ${PROCESS}.execPath;`,
      `if (${PROCESS}.env.KEEP === '1') return;`,
      `const root = ${PROCESS}.cwd();`,
      "describe('a', () => {\n  before(() => {});\n});",
    ])
      assert.ok(!isNoticed(text), text);
  });

  it('are files of one tier if they share a broker', () => {
    const files = testFiles();
    for (const group of SHARING) {
      assert.deepEqual(
        group.filter((file) => !files.includes(file)),
        [],
      );
      const tiers = group.map((file) => tierOf(file) ?? assert.fail(file));
      assert.equal(new Set(tiers).size, 1);
      const batches = batchesOf(group.map((file, index) => ({ tier: tiers[index] ?? 'broker', file })));
      assert.deepEqual(
        batches.map((batch) => batch.files),
        [group],
      );
    }
  });

  it('are files of the unit tier alone if they share no broker', () => {
    assert.ok(canShare('test/schemas/json.test.ts'));
    assert.ok(!canShare('test/runner/run-batch.test.ts'));
    const many = Array.from({ length: BATCH_FILES + 1 }, () => 'test/schemas/json.test.ts');
    const batches = batchesOf([
      { tier: 'unit', file: 'test/runner/run-batch.test.ts' },
      ...many.map((file) => ({ tier: 'unit' as const, file })),
      { tier: 'broker', file: 'test/broker/start.test.ts' },
      { tier: 'broker', file: 'test/broker/states/states.test.ts' },
    ]);
    assert.deepEqual(
      batches.map(({ files }) => files.length),
      [1, BATCH_FILES, 1, 1, 1],
    );
  });
});
