/**
 * Compiles the command line for the Node that runs this: V8 keeps what a few commands needed of it. Half of a short command's
 * time was compiling. `bin/compiled-code.ts` loads it. The child process has the same flags as a command has: none.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';

const FILE = join(import.meta.dirname, '..', 'dist', 'chunks', 'command-line.cjs');
const IN_CHILD = 'in-child';

/** They end with an error, behind all that a command does before it finds its broker or its server. */
const commands = (dir) => [
  ['status', '--data', dir],
  ['call', 'a.b', '{}', '--data', dir],
  ['module', 'list', '--data', dir],
  ['replay', 'history', '--data', dir],
  ['start', '--json', '--data', dir, '--nats', 'nats://127.0.0.1:1'],
];

const compile = async () => {
  const script = new Script(readFileSync(FILE, 'latin1'), { filename: FILE });
  const module = { exports: {} };
  const importIt = (specifier) => import(specifier);
  script.runInThisContext()(module.exports, createRequire(FILE), module, FILE, dirname(FILE), importIt);
  const dir = mkdtempSync(join(tmpdir(), 'tallystick-build-'));
  for (const words of commands(dir)) {
    process.argv = [process.execPath, FILE, ...words];
    await module.exports.main();
  }
  rmSync(dir, { recursive: true, force: true });
  writeFileSync(`${FILE}.new`, script.createCachedData());
  renameSync(`${FILE}.new`, `${FILE}.compiled`);
  process.exit(0);
};

if (process.argv[2] === IN_CHILD) await compile();
else {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { status, stderr } = spawnSync(process.execPath, [import.meta.filename, IN_CHILD], {
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the command line cannot be compiled:\n${stderr}`);
}
