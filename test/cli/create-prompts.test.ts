import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PROJECT_ROOT } from '../support/project-root.js';
import { KEY, type OnTerminal, onTerminal } from '../support/pseudo-terminal.js';
import { runProgram } from '../support/run-program.js';
import { tempDir } from '../support/temp-dir.js';

const PROGRAM = [process.execPath, join(PROJECT_ROOT, 'create', 'create-tallystick.js')] as const;
/** A package manager that starts the program names itself, and then the program does not ask for it. */
const env = { npm_config_user_agent: undefined, TERM: 'xterm' };
const DIRECTORY = 'Directory of the project (my-app): ';
const MANAGER = 'Package manager: npm, pnpm, yarn (npm): ';

const create = (cwd: string, args: readonly string[] = [], more = {}): OnTerminal =>
  onTerminal([...PROGRAM, ...args], { cwd, env: { ...env, ...more } });

const nameIn = (dir: string): unknown => JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')).name;

describe('npm create tallystick, on a terminal', () => {
  it('asks for the directory and the package manager', async () => {
    await using dir = tempDir();
    const terminal = create(dir.path);
    await terminal.shows(DIRECTORY);
    terminal.type(`shop${KEY.enter}`);
    await terminal.shows(MANAGER);
    terminal.type(`pnpm${KEY.enter}`);
    await terminal.shows('pnpm install');
    assert.equal((await terminal.exited).code, 0);
    assert.equal(nameIn(join(dir.path, 'shop')), 'shop');
  });

  it('takes the defaults for empty answers', async () => {
    await using dir = tempDir();
    const terminal = create(dir.path);
    await terminal.shows(DIRECTORY);
    terminal.type(KEY.enter);
    await terminal.shows(MANAGER);
    terminal.type(`  ${KEY.enter}`);
    await terminal.shows('npm install');
    assert.equal((await terminal.exited).code, 0);
    assert.equal(nameIn(join(dir.path, 'my-app')), 'my-app');
  });

  it('asks only what it does not know', async () => {
    await using dir = tempDir();
    const named = create(dir.path, ['shop']);
    await named.shows(MANAGER);
    named.type(`yarn${KEY.enter}`);
    await named.shows('yarn install');
    assert.equal((await named.exited).code, 0);
    assert.doesNotMatch(named.screen(), /Directory of/);

    const started = create(dir.path, [], { npm_config_user_agent: 'pnpm/10.1.0 npm/? node/v22.1.0' });
    await started.shows(DIRECTORY);
    started.type(KEY.enter);
    await started.shows('pnpm install');
    assert.equal((await started.exited).code, 0);
    assert.doesNotMatch(started.screen(), /Package manager/);

    const yes = create(dir.path, ['other', '--yes']);
    await yes.shows('npm install');
    assert.equal((await yes.exited).code, 0);
    assert.doesNotMatch(yes.screen(), /Directory of|Package manager/);
  });

  it('refuses an answer that it cannot use, and writes nothing', async () => {
    await using dir = tempDir();
    const unnamed = create(dir.path);
    await unnamed.shows(DIRECTORY);
    unnamed.type(`no good!${KEY.enter}`);
    await unnamed.shows('create-tallystick: "no good!" is no name of a package');
    assert.equal((await unnamed.exited).code, 1);

    const unknown = create(dir.path, ['shop']);
    await unknown.shows(MANAGER);
    unknown.type(`bower${KEY.enter}`);
    await unknown.shows('create-tallystick: bower is not one of npm, pnpm, yarn');
    assert.equal((await unknown.exited).code, 1);
    assert.deepEqual(readdirSync(dir.path), []);
  });

  for (const [title, key] of [
    ['Ctrl-C', KEY.interrupt],
    ['Ctrl-D', KEY.endOfInput],
  ] as const)
    it(`ends at ${title}, and writes nothing`, async () => {
      await using dir = tempDir();
      for (const [args, question] of [
        [[], DIRECTORY],
        [['shop'], MANAGER],
      ] as const) {
        const terminal = create(dir.path, args);
        await terminal.shows(question);
        terminal.type(key);
        await terminal.shows('create-tallystick: you gave no answer, so nothing was written\r\n');
        assert.equal((await terminal.exited).code, 1);
        assert.deepEqual(readdirSync(dir.path), []);
      }
    });
});

describe('npm create tallystick, without a terminal', () => {
  it('asks nothing, and reads no answers', async () => {
    await using dir = tempDir();
    const [program, ...args] = PROGRAM;
    const { code, stdout, stderr } = await runProgram(program, args, {
      cwd: dir.path,
      env,
      input: 'shop\npnpm\n',
    });
    assert.deepEqual([code, stderr], [0, '']);
    assert.doesNotMatch(stdout, /Directory of|Package manager/);
    assert.match(stdout, /^The project is in my-app\. Next:\n\n {2}cd my-app\n {2}npm install\n/);
    assert.equal(existsSync(join(dir.path, 'shop')), false);
  });
});
