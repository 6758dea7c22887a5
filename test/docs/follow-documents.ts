import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { startBroker } from '../support/broker.js';
import { follow } from '../support/children.js';
import { tallystickPath } from '../support/program-paths.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { runCommand } from '../support/run-command-line.js';
import { runProgram } from '../support/run-program.js';
import { shellEnvironment } from '../support/shell.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { type Block, blocksOf, isShown, type Typed, typedIn } from './blocks.js';
import { type Document, documents } from './documents.js';
import { plainWords } from './plain-words.js';

/** Commands that go on until Ctrl-C. */
const GOES_ON = /^nats sub |--follow\b/;
/** What these read follows the log by milliseconds: less than a person takes to type the next command. */
const READS = /\b(agent|conversation) (get|list)\b|\breplay history\b/;
/** Commands that change the variables of the shell they are typed in. */
const CHANGES_SHELL = /^(eval|export) /;

/** What a reader does: types commands, and writes files. */
const shownIn = (text: string): readonly Block[] =>
  blocksOf(text).filter(({ language, info }) => language === 'console' || info !== '');

/** These run load for half a minute, so they are followed in the deep form. `npm test` runs `burst` in `test/faults/burst.test.ts`. */
const OF_LOAD = new Set(['docs/guides/bench.md', 'docs/guides/burst.md']);
const OF_REPLAY = new Set(['docs/guides/debug.md', 'docs/reference/replay.md']);
const TUTORIAL = 'docs/tutorial.md';

const followed = documents().filter(({ text }) => shownIn(text).length > 0);
/** These need nothing of what the README makes, and are followed beside it. */
export const OF_REPLAY_DOCUMENTS = followed.filter(({ path }) => OF_REPLAY.has(path));
export const OTHER_DOCUMENTS = followed.filter(
  ({ path }) => !OF_REPLAY.has(path) && path !== TUTORIAL && !OF_LOAD.has(path),
);
export const LOAD_DOCUMENTS = followed.filter(({ path }) => OF_LOAD.has(path));
/** Followed in an empty directory, by the package as a user has it. */
export const TUTORIAL_DOCUMENTS = followed.filter(({ path }) => path === TUTORIAL);

interface GoingOn {
  readonly untilShown: () => Promise<true>;
  readonly end: () => Promise<void>;
}

export interface Reader extends AsyncDisposable {
  /** Runs what a document shows, and fails where something of it is not what happens. */
  readonly follow: (document: Document) => Promise<void>;
  /** Checks the types of all files that the documents showed so far, in one run of the compiler: each costs seconds. */
  readonly checkTypes: () => Promise<void>;
}

/** This package and nothing else: no document needs what it depends on. Returns the program of `npx tallystick`. */
const linkPackage = async (home: string): Promise<string> => {
  symlinkSync(PROJECT_ROOT, join(home, 'node_modules', 'tallystick'));
  return tallystickPath();
};

/** The same with what `npm pack` makes. Its dependencies are where only this package finds them. */
export const installPackage = async (home: string): Promise<string> => {
  const installed = join(home, 'node_modules', 'tallystick');
  mkdirSync(installed);
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', home];
  const packed = await runProgram('npm', pack, { cwd: PROJECT_ROOT, timeoutMs: 60_000 });
  assert.equal(packed.code, 0, packed.stderr);
  const file = join(home, packed.stdout.trim());
  const unpacked = await runProgram('tar', ['-xzf', file, '--strip-components=1', '-C', installed]);
  assert.equal(unpacked.code, 0, unpacked.stderr);
  rmSync(file);
  symlinkSync(join(PROJECT_ROOT, 'node_modules'), join(installed, 'node_modules'));
  return join(installed, 'dist', 'bin', 'tallystick.js');
};

/** Somebody who follows documents one after the other, in a directory and with a broker of their own. */
export const openReader = async (install = linkPackage): Promise<Reader> => {
  const home = tempDir();
  const broker = await startBroker({ dataDir: join(home.path, '.tallystick'), http: true });
  // Where a reader's module is: in a directory from which this package can be imported.
  mkdirSync(join(home.path, 'node_modules'));
  writeFileSync(join(home.path, 'package.json'), '{"type":"module"}');
  const program = await install(home.path);
  const env = shellEnvironment(home.path, broker.url, program, broker.ready.http ?? '');
  /** What a shell exports after a command that changes it, for the shells of the commands behind that one. */
  const exported = join(home.path, '.bin', 'exported');
  const missing = (shown: readonly string[], printed: string): readonly string[] =>
    shown.filter((line) => !isShown(line, printed));

  /** Starts a command that goes on; the check of what it shows comes at the end of its block. */
  const goOn = async ({ command, shown }: Typed, script: string): Promise<GoingOn> => {
    const child = spawn('sh', ['-c', script], {
      cwd: home.path,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // The shell and what it runs end together.
      detached: true,
    });
    const exited = follow(child);
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
      });
    }
    const end = async (): Promise<void> => {
      process.kill(-(child.pid as number), 'SIGTERM');
      await exited;
    };
    const untilShown = (): Promise<true> =>
      waitFor(`${command} to show its lines`, () => {
        const left = missing(shown, printed);
        if (left.length > 0) throw new Error(`not shown: ${left.join('\n')}\n${printed.slice(-4_000)}`);
        return true;
      });
    await waitFor(`${command} to begin`, () => printed !== '').catch(async (error: unknown) => {
      await end();
      throw error;
    });
    return { untilShown, end };
  };

  const runBlock = async (path: string, block: Block, shell: string[]): Promise<void> => {
    const running: GoingOn[] = [];
    try {
      await runCommands(path, block, shell, running);
      for (const { untilShown } of running) await untilShown();
    } finally {
      await Promise.all(running.map(({ end }) => end()));
    }
  };

  const runCommands = async (
    path: string,
    block: Block,
    shell: string[],
    running: GoingOn[],
  ): Promise<void> => {
    for (const typed of typedIn(block)) {
      const { command, shown } = typed;
      const changesShell = CHANGES_SHELL.test(command);
      const script = [...shell, command, ...(changesShell ? [`export -p > '${exported}'`] : [])].join('\n');
      if (GOES_ON.test(command)) {
        running.push(await goOn(typed, script));
        continue;
      }
      const [npx, name, ...words] = (shell.length === 0 ? plainWords(command) : undefined) ?? [];
      const isPlain = npx === 'npx' && name === 'tallystick' && program === tallystickPath();
      const at = { cwd: home.path, timeoutMs: 60_000 };
      const run = async (): Promise<true> => {
        const { stdout, stderr } = isPlain
          ? await runCommand(words, { ...at, env: { ...env, npm_command: 'exec' } })
          : await runProgram('sh', ['-c', script], { ...at, env });
        const printed = `${stdout}${stderr}`;
        const text = `${path}:${block.line}: ${command}\n${printed.slice(-4_000)}`;
        assert.deepEqual(missing(shown, printed), [], text);
        return true;
      };
      await (READS.test(command) ? waitFor(command, run) : run());
      // Not the command once more: most of a command is its start.
      if (changesShell) shell.splice(0, shell.length, readFileSync(exported, 'utf8'));
    }
  };

  const followDocument = async ({ path, text }: Document): Promise<void> => {
    const shell: string[] = [];
    for (const block of shownIn(text)) {
      if (block.language === 'console') await runBlock(path, block, shell);
      else {
        const file = join(home.path, block.info);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, block.text);
        keepToCheck(file);
      }
    }
  };

  /** Files as they were when a document showed them: a later one may show another file of that name. */
  const toCheck: string[] = [];
  const checked = join(home.path, 'checked');
  const keepToCheck = (file: string): void => {
    const into = join(checked, String(toCheck.length));
    for (const name of readdirSync(home.path).filter(isSource))
      cpSync(join(home.path, name), join(into, name), { recursive: true });
    toCheck.push(join(into, relative(home.path, file)));
  };
  /** The sources that a shown file may import lie next to it. The packages and the broker's data stay where they are. */
  const isSource = (name: string): boolean =>
    !name.startsWith('.') && name !== 'node_modules' && name !== 'checked';

  /** TypeScript, or JavaScript without annotations: types come from the schemas, and must fit. */
  const checkTypes = async (): Promise<void> => {
    assert.notEqual(toCheck.length, 0);
    const options = ['--noEmit', '--allowJs', '--checkJs', '--strict', '--skipLibCheck', '--types', 'node'];
    const newer = [
      '--allowImportingTsExtensions',
      '--exactOptionalPropertyTypes',
      '--lib',
      'ES2023,ESNext.Disposable',
    ];
    const target = ['--target', 'ES2023', '--module', 'NodeNext', '--moduleResolution', 'NodeNext'];
    const roots = ['--typeRoots', join(PROJECT_ROOT, 'node_modules', '@types')];
    const tsc = join(PROJECT_ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const { code, stdout } = await runProgram(
      process.execPath,
      [tsc, ...options, ...newer, ...target, ...roots, '--ignoreConfig', ...toCheck],
      { cwd: home.path, timeoutMs: 120_000 },
    );
    assert.equal(code, 0, stdout);
  };

  return {
    follow: followDocument,
    checkTypes,
    [Symbol.asyncDispose]: async () => {
      await broker[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
};
