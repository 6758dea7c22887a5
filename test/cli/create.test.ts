import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { installPackage } from '../docs/follow-documents.js';
import { startDev } from '../support/dev-program.js';
import { processesMentioning } from '../support/processes.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { type ProgramResult, runProgram } from '../support/run-program.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

const dir = tempDir();
const project = join(dir.path, 'my-app');
const TIMEOUT_MS = 120_000;

const ok = async (program: string, args: readonly string[], cwd: string): Promise<string> => {
  // Otherwise the tests of the project would report to this test.
  const env = { NODE_TEST_CONTEXT: undefined };
  const { code, stdout, stderr } = await runProgram(program, args, { cwd, env, timeoutMs: TIMEOUT_MS });
  assert.equal(code, 0, `${program} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
};

/** The program of the packed package. */
const create = (...args: readonly string[]): Promise<ProgramResult> =>
  runProgram(process.execPath, [join(dir.path, 'package', 'create-tallystick.js'), ...args], {
    cwd: dir.path,
  });

/** What `npm install` does, from what is on this machine: the packed package, and the tools of this tree. */
const install = async (): Promise<void> => {
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  mkdirSync(join(modules, '@types'));
  for (const name of ['tsx', 'typescript', '@types/node'])
    symlinkSync(join(PROJECT_ROOT, 'node_modules', name), join(modules, name));
  const programs = {
    tallystick: await installPackage(project),
    tsx: join(PROJECT_ROOT, 'node_modules', 'tsx', 'dist', 'cli.mjs'),
    tsc: join(PROJECT_ROOT, 'node_modules', 'typescript', 'bin', 'tsc'),
  };
  for (const [name, path] of Object.entries(programs))
    writeFileSync(join(modules, '.bin', name), `#!/bin/sh\nexec '${process.execPath}' '${path}' "$@"\n`, {
      mode: 0o755,
    });
};

/** Packs the package into `package` of a directory; its files. */
const pack = async (into: string, ...options: readonly string[]): Promise<readonly string[]> => {
  mkdirSync(into, { recursive: true });
  const args = ['pack', '--silent', '--pack-destination', into, ...options];
  const packed = await ok('npm', args, join(PROJECT_ROOT, 'create'));
  await ok('tar', ['-xzf', join(into, packed.trim()), '-C', into], into);
  return readdirSync(join(into, 'package'), { recursive: true, encoding: 'utf8' }).toSorted();
};

let files: readonly string[];
before(async () => {
  files = await pack(dir.path);
});
after(() => dir[Symbol.asyncDispose]());

describe('the package create-tallystick', () => {
  it('is whole if the scripts of npm do not run', async () => {
    await using other = tempDir();
    assert.deepEqual(await pack(other.path, '--ignore-scripts'), files);
    const program = join(other.path, 'package', 'create-tallystick.js');
    const { code, stderr } = await runProgram(process.execPath, [program, 'app', '--yes'], {
      cwd: other.path,
    });
    assert.deepEqual([code, stderr], [0, '']);
    assert.ok(readdirSync(join(other.path, 'app')).includes('package.json'));
  });

  it('has every file that its program names, and no other code', () => {
    const code = files.filter((file) => /\.[cm]?[jt]s$/.test(file) && !file.startsWith('template/'));
    assert.deepEqual(code, ['create-tallystick.js', 'new-project.js']);
  });
});

describe('npm create tallystick', () => {
  it('writes a project, and tells the commands that come next', async () => {
    const { code, stdout, stderr } = await create('my-app', '--yes', '--manager', 'pnpm');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /cd my-app\n {2}pnpm install\n {2}pnpm test .*\n {2}pnpm dev .*\n {2}pnpm start /);
    const files = readdirSync(project, { recursive: true, encoding: 'utf8' }).toSorted();
    assert.deepEqual(
      files.filter((name) => name.includes('.')),
      [
        ...['.gitignore', 'README.md', 'modules/tickets.ts', 'package.json', 'src/main.ts'],
        ...['test/tickets.test.ts', 'tsconfig.json'],
      ],
    );
    const { name, dependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
    const own = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8'));
    assert.deepEqual([name, dependencies], ['my-app', { tallystick: `^${own.version}` }]);
    assert.match(readFileSync(join(project, 'README.md'), 'utf8'), /^# my-app\n/);
  });

  it('writes into a directory that has only .git, and takes another version', async () => {
    mkdirSync(join(dir.path, 'cloned', '.git'), { recursive: true });
    const { code, stdout } = await create('cloned', '--tallystick', 'file:../tallystick.tgz');
    assert.equal(code, 0);
    assert.match(stdout, /npm install/);
    const manifest = readFileSync(join(dir.path, 'cloned', 'package.json'), 'utf8');
    assert.match(manifest, /"tallystick": "file:\.\.\/tallystick\.tgz"/);
  });

  const refused: readonly (readonly [title: string, args: readonly string[], words: RegExp])[] = [
    [
      'a directory that is not empty',
      ['full'],
      /full is not empty, so nothing was written: it has a\.txt\. Choose/,
    ],
    ['a file', ['full/a.txt'], /full\/a\.txt is a file: choose another name/],
    ['a name that npm does not take', ['no good!'], /"no good!" is no name of a package/],
    ['two directories', ['a', 'b'], /name one directory, not 2/],
    [
      'a package manager that it does not know',
      ['new', '--manager', 'bower'],
      /bower is not one of npm, pnpm, yarn/,
    ],
    ['an option that it does not know', ['new', '--fast'], /Unknown option '--fast'/],
  ];
  for (const [title, args, words] of refused)
    it(`refuses ${title}, and writes nothing`, async () => {
      mkdirSync(join(dir.path, 'full'), { recursive: true });
      writeFileSync(join(dir.path, 'full', 'a.txt'), '');
      const before = readdirSync(dir.path);
      const { code, stdout, stderr } = await create(...args);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, words);
      assert.deepEqual([readdirSync(dir.path), readdirSync(join(dir.path, 'full'))], [before, ['a.txt']]);
    });

  it('prints its help', async () => {
    const { code, stdout } = await create('--help');
    assert.equal(code, 0);
    assert.match(stdout, /--yes +ask nothing/);
  });
});

describe('the project that it writes', () => {
  before(install);

  it('has types that are good, and a test that passes', async () => {
    await ok('npm', ['run', '--silent', 'types'], project);
    const output = await ok('npm', ['test', '--silent'], project);
    assert.match(output, /^# pass 2$|^ℹ pass 2$/m);
  });

  it('runs the module, calls it from the program, and reloads it at a save', async () => {
    const dev = startDev(project, ['--nats-port', '0'], ['npm', 'run', '--silent', 'dev', '--']);
    const { pid, modules } = await dev.next('ready');
    try {
      assert.deepEqual(modules, [{ name: 'tickets', version: '1.0.0', state: 'loaded' }]);
      const start = (): Promise<string> => ok('npm', ['start', '--silent'], project);
      assert.equal(await start(), '3 seats sold, 97 are left\n');
      assert.equal((await dev.next('call')).action, 'sell');
      const file = join(project, 'modules', 'tickets.ts');
      writeFileSync(file, readFileSync(file, 'utf8').replace('HOUSE = 100', 'HOUSE = 5'));
      await dev.next('reloaded');
      assert.equal(await start(), 'SOLD_OUT: 2 seats are left\n');
    } finally {
      process.kill(pid, 'SIGINT');
      await dev.exited;
    }
    await waitFor('all programs to end', () => processesMentioning(project).length === 0);
  });
});
