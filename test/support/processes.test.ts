import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { follow } from './children.js';
import { isAlive, processesMentioning } from './processes.js';
import { runProgram } from './run-program.js';
import { tempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';

describe('processes', () => {
  it('a process is found by its command line for as long as it runs', async () => {
    const mark = `mark-${process.pid}-${Date.now()}`;
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', mark], { stdio: 'ignore' });
    const exited = follow(child);
    const found = await waitFor('the process', () => processesMentioning(mark)[0]);
    assert.equal(found.pid, child.pid);
    assert.ok(isAlive(found.pid));
    child.kill('SIGKILL');
    await exited;
    assert.deepEqual(processesMentioning(mark), []);
    assert.equal(isAlive(found.pid), false);
  });

  it('a program that does not end in time is killed and told', async () => {
    await assert.rejects(
      runProgram(process.execPath, ['-e', 'console.log("so far"); setInterval(() => {}, 1000)'], {
        timeoutMs: 1_000,
      }),
      /did not end within 1000 ms\nso far/,
    );
  });

  it('a program gets its input and environment, and its exit code is an answer', async () => {
    const code = 'process.stdin.pipe(process.stdout); process.exitCode = Number(process.env.CODE)';
    const result = await runProgram(process.execPath, ['-e', code], { input: 'in', env: { CODE: '3' } });
    assert.deepEqual(result, { code: 3, stdout: 'in', stderr: '' });
  });

  it('a program that is not there rejects', async () => {
    await assert.rejects(runProgram('no-such-program', []), { code: 'ENOENT' });
  });

  it('a temporary folder goes with its scope', async () => {
    let path: string;
    {
      await using dir = tempDir();
      path = dir.path;
      assert.ok(existsSync(path));
    }
    assert.equal(existsSync(path), process.env.KEEP === '1');
  });
});
