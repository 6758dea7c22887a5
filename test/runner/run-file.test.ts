import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { isAlive } from '../support/processes.js';
import { tempDir } from '../support/temp-dir.js';
import { type FileRun, runFile } from './run-file.js';
import { NOT_HERE } from './not-here.js';
import { closingLines, isGreen, tallyOf } from './tally.js';
import { compiledFile } from './test-files.js';

const HEAD = `import { it } from 'node:test'; import { spawn } from 'node:child_process';\n`;

/** Runs this code as a test file; it exists as a compiled file only, so that the runner itself never lists it. */
const run = async (code: string, timeoutMs = 30_000, silentMs = 180_000): Promise<FileRun> => {
  await using scratch = tempDir();
  const file = `planted/${process.pid}.test.ts`;
  mkdirSync(dirname(compiledFile(file)), { recursive: true });
  writeFileSync(compiledFile(file), HEAD + code);
  try {
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
    return await runFile(file, { env, timeoutMs, scratch: scratch.path, groups: new Set(), silentMs });
  } finally {
    rmSync(compiledFile(file));
  }
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
