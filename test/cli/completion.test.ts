import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { NOT_HERE } from '../runner/not-here.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { tallystickPath } from '../support/program-paths.js';
import { runProgram } from '../support/run-program.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { tallystick } from './tallystick.js';

const isHere = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;
const needs = (shell: string) => (isHere(shell) ? {} : { skip: `${NOT_HERE} ${shell}` });

/** Completes a line as the shell does, by its own functions. Prints a candidate on each line. */
const BASH = `source <(tallystick completion bash)
COMP_WORDS=(tallystick "$@"); COMP_CWORD=$#
_tallystick
printf '%s\\n' "\${COMPREPLY[@]}"`;

/** The part of zsh that draws the list prints it instead: that one needs a terminal. */
const ZSH = `compdef() { : }
_describe() { print -rl -- "\${(@)found}" }
_files() { print -rl -- *(N) }
source <(tallystick completion zsh)
words=(tallystick "$@"); CURRENT=$(($# + 1))
_tallystick`;

/** The same lines after `npx`. */
const BASH_NPX = BASH.replace(
  '(tallystick "$@"); COMP_CWORD=$#',
  '(npx tallystick "$@"); COMP_CWORD=$(($# + 1))',
).replace(/^_tallystick$/m, '_tallystick_npx');
const ZSH_NPX = ZSH.replace(
  '(tallystick "$@"); CURRENT=$(($# + 1))',
  '(npx tallystick "$@"); CURRENT=$(($# + 2))',
).replace(/^_tallystick$/m, '_tallystick_npx');

const FISH = `tallystick completion fish | source
complete -C "tallystick $argv[1]"`;

describe('completion in a shell', () => {
  let home: TempDir;
  let broker: TestBroker;
  let env: Record<string, string>;

  before(async () => {
    home = tempDir();
    broker = await startBroker({ dataDir: join(home.path, '.tallystick') });
    const bin = join(home.path, 'bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'tallystick'),
      `#!/bin/sh\nexec '${process.execPath}' '${tallystickPath()}' "$@"\n`,
      { mode: 0o755 },
    );
    writeFileSync(join(home.path, 'a file.ts'), '');
    const project = join(home.path, 'project');
    mkdirSync(join(project, 'node_modules', '.bin'), { recursive: true });
    mkdirSync(join(project, 'src', 'deep'), { recursive: true });
    symlinkSync(join(bin, 'tallystick'), join(project, 'node_modules', '.bin', 'tallystick'));
    // The test does not measure how fast names come.
    env = {
      PATH: `${bin}${delimiter}${process.env.PATH}`,
      HOME: home.path,
      TALLYSTICK_COMPLETION_MS: '30000',
    };
    const sent = ['call', 'accounts.deposit', '{"amount":5}', '--agent', 'alice'];
    const { code } = await tallystick(sent, { cwd: home.path });
    assert.equal(code, 0);
  });
  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  const lines = async (program: string, args: readonly string[]): Promise<readonly string[]> => {
    const { code, stdout, stderr } = await runProgram(program, args, { env, cwd: home.path });
    assert.equal(stderr, '', stdout);
    assert.ok(code === 0 || code === 1);
    return stdout.split('\n').filter(Boolean);
  };
  const inBash = (...words: readonly string[]) => lines('bash', ['--norc', '-c', BASH, 'bash', ...words]);
  const inZsh = (...words: readonly string[]) => lines('zsh', ['-f', '-c', ZSH, 'zsh', ...words]);
  const inFish = (line: string) => lines('fish', ['--no-config', '-c', FISH, line]);
  const FISH_NPX = FISH.replace('complete -C "tallystick', 'complete -C "npx tallystick');
  /** A project with the package, in a folder below its root; and a clone, where only npx finds the program. */
  const PLACES = () => [join(home.path, 'project', 'src', 'deep'), PROJECT_ROOT];

  test(
    'bash completes commands, options, values, files and the names that a broker has',
    needs('bash'),
    async () => {
      assert.deepEqual(await inBash('mod'), ['module']);
      assert.deepEqual(await inBash('replay', 'history', '--ki'), ['--kind']);
      assert.deepEqual(await inBash('replay', 'history', '--kind', '=', 'e'), ['evt', 'epoch']);
      assert.deepEqual(await inBash('module', 'load', 'a '), ['a file.ts']);
      assert.deepEqual(await inBash('module', 'info', ''), ['accounts', 'agents', 'orders']);
      assert.deepEqual(await inBash('call', 'accounts.d'), ['accounts.deposit']);
      assert.deepEqual(await inBash('agent', 'get', 'accounts', ''), ['alice']);
    },
  );

  test('zsh completes the same, with descriptions', needs('zsh'), async () => {
    assert.deepEqual(await inZsh('mod'), ['module:load, stop and inspect modules']);
    assert.deepEqual(await inZsh('replay', 'history', '--kind', 'e'), ['evt:', 'epoch:']);
    assert.ok((await inZsh('module', 'load', 'a')).includes('a file.ts'));
    assert.deepEqual(await inZsh('module', 'info', 'acc'), ['accounts:1.0.0 loaded']);
    assert.deepEqual(await inZsh('agent', 'get', 'accounts', ''), ['alice:']);
  });

  test('fish completes the same, with descriptions', needs('fish'), async () => {
    assert.deepEqual(await inFish('mod'), ['module\tload, stop and inspect modules']);
    assert.deepEqual(await inFish('replay history --kind e'), ['epoch', 'evt']);
    assert.ok((await inFish('module load a')).some((line) => line.startsWith('a')));
    assert.deepEqual(await inFish('module info acc'), ['accounts\t1.0.0 loaded']);
    assert.deepEqual(await inFish('agent get accounts '), ['alice']);
  });

  const byNpx: readonly (readonly [string, readonly string[], string])[] = [
    ['bash', ['--norc', '-c', BASH_NPX, 'bash'], 'module'],
    ['zsh', ['-f', '-c', ZSH_NPX, 'zsh'], 'module:load, stop and inspect modules'],
    ['fish', ['--no-config', '-c', FISH_NPX], 'module\tload, stop and inspect modules'],
  ];
  for (const [shell, args, candidate] of byNpx)
    test(`${shell} completes behind npx, in a project and in a clone`, needs(shell), async () => {
      for (const cwd of PLACES()) {
        const { stdout, stderr } = await runProgram(shell, [...args, 'mod'], { env, cwd });
        assert.deepEqual([stdout.trim(), stderr], [candidate, ''], cwd);
      }
    });

  test(
    'bash keeps the completion of npx for other programs, also if it reads the script twice',
    needs('bash'),
    async () => {
      const script = `_other() { COMPREPLY=(from-another); }
complete -F _other npx
source <(tallystick completion bash); source <(tallystick completion bash)
COMP_WORDS=(npx tsc ''); COMP_CWORD=2; _tallystick_npx
printf '%s\\n' "\${COMPREPLY[@]}"`;
      assert.deepEqual(await lines('bash', ['--norc', '-c', script]), ['from-another']);
    },
  );

  test('without a broker there are no names, no error and no wait for one', async () => {
    const { code, stdout, stderr } = await tallystick(
      ['complete', '--', 'module', 'info', '--data', join(home.path, 'no-broker'), ''],
      { cwd: home.path },
    );
    assert.deepEqual([code, stdout, stderr], [0, '', '']);
  });

  test('the help of completion tells how to install it in each shell', async () => {
    const { stdout } = await tallystick(['completion', '--help'], { cwd: home.path });
    for (const shell of ['bashrc', 'zshrc', 'config/fish']) assert.ok(stdout.includes(shell), shell);
  });
});
