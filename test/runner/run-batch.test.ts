import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { isAlive } from '../support/processes.js';
import { tempDir } from '../support/temp-dir.js';
import { type FileRun, runBatch } from './run-batch.js';
import { NOT_HERE } from './not-here.js';
import { closingLines, isGreen, tallyOf } from './tally.js';
import { compiledFile } from './test-files.js';

const HEAD = `import { it } from 'node:test'; import { spawn } from 'node:child_process';\n`;

/** Runs this code as test files; they exist as compiled files only, so that the runner itself never lists them. */
const runAll = async (
  codes: readonly string[],
  timeoutMs = 30_000,
  silentMs = 180_000,
): Promise<readonly FileRun[]> => {
  await using scratch = tempDir();
  const files = codes.map((_, index) => `planted/${process.pid}-${index}.test.ts`);
  for (const [index, file] of files.entries()) {
    mkdirSync(dirname(compiledFile(file)), { recursive: true });
    writeFileSync(compiledFile(file), HEAD + codes[index]);
  }
  try {
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
    return await runBatch(files, { env, timeoutMs, scratch: scratch.path, groups: new Set(), silentMs });
  } finally {
    for (const file of files) rmSync(compiledFile(file));
  }
};

const run = async (code: string, timeoutMs?: number, silentMs?: number): Promise<FileRun> => {
  const [result] = await runAll([code], timeoutMs, silentMs);
  assert.ok(result !== undefined);
  return result;
};

const kinds = ({ outcomes }: FileRun): string[] => outcomes.map(({ kind, name }) => `${kind} ${name}`);

describe('the run of a test file', () => {
  it('passes when its tests do', async () => {
    const result = await run(`it('a', () => {}); it('b', () => {});`);
    assert.deepEqual(kinds(result), ['pass a', 'pass b']);
    assert.match(result.output, /✔ a/);
    assert.doesNotMatch(result.output, /^ℹ tests/m);
    assert.ok(isGreen(tallyOf(result.outcomes)));
  });

  it('is not green with a failed, skipped or todo test, and says what failed', async () => {
    const failed = await run(`it('a', () => { throw new Error('this is why'); });`);
    assert.deepEqual(kinds(failed), ['fail a']);
    assert.match(failed.output, /this is why/);
    const skipped = await run(`it('a', () => {}); it.skip('b', () => {}); it.todo('c');`);
    assert.deepEqual(kinds(skipped), ['pass a', 'skipped b', 'todo c']);
    assert.ok(!isGreen(tallyOf(skipped.outcomes)));
  });

  it('is green with a test that this machine cannot run, and says which', async () => {
    const result = await run(`it('a', () => {}); it('b', { skip: '${NOT_HERE}no disk' }, () => {});`);
    assert.deepEqual(kinds(result), ['pass a', 'impossible b']);
    assert.equal(result.outcomes[1]?.why, `${NOT_HERE}no disk`);
    assert.ok(isGreen(tallyOf(result.outcomes)));
    assert.ok(!isGreen(tallyOf(result.outcomes.slice(1, 1))));
  });

  it('fails when it ran no test or ended before its tests', async () => {
    assert.deepEqual(kinds(await run('')), ['fail the file ran no test']);
    const broken = await run(`throw new Error('at the top');`);
    assert.ok(kinds(broken).length > 0 && !isGreen(tallyOf(broken.outcomes)));
    assert.match(broken.output, /at the top/);
    for (const end of [
      'const f = () => f(); f();',
      'await Promise.reject(new Error("x"));',
      'process.exit(0);',
    ]) {
      const late = await run(`it('a', () => {}); ${end} it('b', () => {});`);
      assert.ok(!isGreen(tallyOf(late.outcomes)), end);
    }
    const ended = await run(`it('a', () => {}); it('b', () => process.exit(0));`);
    assert.ok(!kinds(ended).includes('pass b'));
    assert.ok(!isGreen(tallyOf(ended.outcomes)));
  });

  it('is killed at its deadline, even when it blocks', async () => {
    const result = await run(`it('a', () => {}); it('b', () => { for (;;); });`, 1_000);
    assert.ok(kinds(result).includes('fail the file did not end within 1 s'));
    assert.ok(!isGreen(tallyOf(result.outcomes)));
  });

  it('is killed where a test failed and what it left open keeps the file from its end', async () => {
    const code =
      "setInterval(() => {}, 1_000); it('a', () => {}); it('b', () => { throw new Error('no'); });";
    const result = await run(code, 600_000, 100);
    assert.deepEqual(kinds(result), [
      'pass a',
      'fail b',
      'fail the file did not end within 0.1 s after its last test',
    ]);
  });

  it('fails when it leaves a process behind, and that process is ended', async () => {
    const result = await run(
      `it('a', () => { const c = spawn('sleep', ['600'], { stdio: 'ignore' }); c.unref(); console.log('pid=' + c.pid); });`,
    );
    const pid = Number(/pid=(\d+)/.exec(result.output)?.[1]);
    assert.match(kinds(result).join('\n'), /left processes behind: .*sleep 600/);
    assert.equal(isAlive(pid), false);
  });
});

describe('test files that share a process', () => {
  it('have their own tests, output and time', async () => {
    const runs = await runAll([
      `import { describe } from 'node:test'; describe('s', () => { it('a', async () => {}); });`,
      `it('b', () => new Promise((resolve) => setTimeout(resolve, 50)));`,
      `it('c', () => { throw new Error('this is why'); });`,
      `it('d', () => {});`,
    ]);
    assert.deepEqual(runs.map(kinds), [['pass a', 'pass s'], ['pass b'], ['fail c'], ['pass d']]);
    assert.deepEqual(
      runs.map(({ outcomes }) => isGreen(tallyOf(outcomes))),
      [true, true, false, true],
    );
    assert.deepEqual(
      runs.map(({ output }) => /^✖ c|^(?:▶|✔) [sbd]\b/m.exec(output)?.[0]),
      ['▶ s', '✔ b', '✖ c', '✔ d'],
    );
    assert.deepEqual(
      runs.map(({ output }) => output.includes('this is why')),
      [false, false, true, false],
    );
    for (const { output, seconds, processorSeconds = 0 } of runs) {
      assert.doesNotMatch(output, /^ℹ tests|for the runner of tests/m);
      assert.ok(seconds > 0 && processorSeconds >= 0);
    }
  });

  it('have their turn also behind a file that ends the process, blocks it, or cannot be loaded', async () => {
    for (const [code, failed] of [
      ["it('b', () => process.exit(0));", 'fail the file ran no test'],
      ["it('b', () => { for (;;); });", 'fail the file did not end within 3 s'],
      ['await new Promise(() => {});', 'fail the file ended with 13'],
      ["throw new Error('at the top');", 'fail the file loads'],
      ['', 'fail the file ran no test'],
    ] as const) {
      const runs = await runAll([`it('a', () => {});`, code, `it('c', () => {});`], 3_000);
      assert.deepEqual(
        [runs[0], runs[2]].map((each) => each && kinds(each)),
        [['pass a'], ['pass c']],
        code,
      );
      assert.ok(runs[1] !== undefined && kinds(runs[1]).includes(failed), `${code}: ${runs[1]?.output}`);
    }
  });
});

describe('the total', () => {
  it('has the closing lines of node', () => {
    const tally = tallyOf([
      { kind: 'pass', suite: true, name: 's' },
      { kind: 'pass', suite: false, name: 'a' },
      { kind: 'fail', suite: false, name: 'b' },
    ]);
    assert.equal(
      closingLines(tally, 12.4),
      'ℹ tests 2\nℹ suites 1\nℹ pass 1\nℹ fail 1\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\nℹ duration_ms 12\n',
    );
  });

  it('is not green when nothing ran', () => {
    assert.equal(isGreen(tallyOf([])), false);
  });
});
