import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fitsThread, hasDirectory, runInThread } from './command-threads.js';
import { PROJECT_ROOT } from './project-root.js';
import { runProgram } from './run-program.js';
import { tempDir } from './temp-dir.js';

const PROGRAM = join(PROJECT_ROOT, 'dist', 'bin', 'tallystick.js');

describe('a command in a thread', () => {
  it('prints and ends as in a process, with its arguments, directory, variables and input', async () => {
    await using here = tempDir();
    const before = process.cwd();
    for (const [args, env, input] of [
      [['status', '--data', 'nowhere'], {}, ''],
      [['agent', '--help'], {}, ''],
      [['agent'], {}, ''],
      [['statsu'], {}, ''],
      [['status', '--json'], { NATS_URL: 'nats://127.0.0.1:1' }, ''],
      [['call', 'accounts.deposit', '-', '--data', 'nowhere'], {}, '{"amount":1'],
      [['call', 'accounts.deposit', '-', '--data', 'nowhere'], {}, '{"amount":1}'],
      [['connect', 'list'], { XDG_CONFIG_HOME: here.path }, ''],
    ] as const) {
      const options = { cwd: here.path, env, input };
      const [inThread, inProcess] = [
        await runInThread(args, options),
        await runProgram(process.execPath, [PROGRAM, ...args], options),
      ];
      assert.deepEqual(inThread, inProcess, args.join(' '));
      assert.equal(process.cwd(), before);
    }
  });

  it('runs next to others of the same directory', async () => {
    const all = Array.from({ length: 3 }, (_, i) => runInThread(['status', '--data', `none-${i}`], {}));
    assert.equal(hasDirectory(process.cwd()), true);
    assert.equal(hasDirectory('/'), false);
    for (const [i, { code, stderr }] of (await Promise.all(all)).entries()) {
      assert.equal(code, 3);
      assert.match(stderr, new RegExp(`none-${i}`));
    }
    assert.equal(hasDirectory('/'), true);
  });

  it('is no command that needs a process', () => {
    for (const args of [
      ['start'],
      ['dev'],
      ['replay', 'rebuild'],
      ['replay', 'history', '--follow'],
      ['agent', 'get', 'a', 'b', '--at', '2h'],
      ['agent', 'get', 'a', 'b', '--at=2h'],
      ['call', 'a.b', '--every', '1s'],
    ])
      assert.equal(fitsThread(PROGRAM, args, {}), false, args.join(' '));
    assert.equal(fitsThread(PROGRAM, ['status'], {}), process.env.NODE_V8_COVERAGE === undefined);
    assert.equal(fitsThread(PROGRAM, ['status'], { env: { NODE_OPTIONS: '--no-warnings' } }), false);
    assert.equal(fitsThread('/elsewhere/tallystick.js', ['status'], {}), false);
  });
});
