import { createHash } from 'node:crypto';
import { closeSync, readFileSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import { readBounded } from '../../system/files/bounded-file.js';
import { armFailPoints } from '../../system/processes/fail-point.js';
import { API_PREFIX, type HostAssignment, MODULE_ENV } from '../../schemas/control.js';
import { messageOf } from '../../text/thrown-message.js';
import { limitsOf, MAX_MANIFEST_BYTES, type Manifest, parseManifest } from '../../schemas/manifest.js';
import type { TreeText } from '../../store/seals/key-tree.js';
import { assignment } from './assignment.js';
import { Host } from './host.js';
import { HostConfig } from './host-config.js';
import { nameCommands, sayLine } from './host-lines.js';
import { loadModule } from './load-module.js';
import { runTrial } from './trial-program.js';

/** The program that hosts one JavaScript module: `node main.js <directory> <entry>`, started by the broker. */

const required = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new Error(`${name} is not set: this program is started by the broker`);
  return value;
};

const readManifest = (): Manifest => {
  const path = required(MODULE_ENV.manifest);
  const read = readBounded(path, 4 * MAX_MANIFEST_BYTES);
  if (E.isLeft(read)) throw new Error(`${path}: ${read.left}`);
  const value: unknown = JSON.parse(read.right.toString('utf8'));
  // The broker has checked these bytes already. A check takes a tenth of the host's start.
  const digest = createHash('sha256').update(read.right).digest('hex');
  if (digest === process.env[MODULE_ENV.manifestDigest]) return value as Manifest;
  const manifest = parseManifest(value);
  if (E.isLeft(manifest)) throw new Error(`${path}: ${manifest.left.message}`);
  return manifest.right;
};

/** The module's code and its children must not find it: neither the descriptor nor its name is left. */
const givenSeed = (): Pick<HostAssignment, 'seed' | 'keys'> => {
  const named = process.env[MODULE_ENV.seedFd];
  // A manifest may start this program as it starts one in another language.
  if (named === undefined) return { seed: required(MODULE_ENV.seed) };
  const fd = Number(named);
  const [seed = '', keys] = readFileSync(fd, 'utf8').split('\n');
  closeSync(fd);
  delete process.env[MODULE_ENV.seedFd];
  if (seed === '') throw new Error('the broker ended before it gave the seed of the module');
  return { seed, ...(keys === undefined ? {} : { keys }) };
};

const isTrial = process.env[MODULE_ENV.trial] !== undefined;
const given =
  process.env[MODULE_ENV.spare] === undefined
    ? { args: process.argv.slice(2), ...(isTrial ? { seed: '' } : givenSeed()) }
    : await assignment();
const [dir, entry] = given.args;
if (dir === undefined || entry === undefined) throw new Error('usage: main.js <directory> <entry>');

// The plan is for a process that handles commands.
if (!isTrial && armFailPoints(required(MODULE_ENV.name))) sayLine('fail-points are on', { level: 'warn' });

let thrown = false;
process.once('uncaughtExceptionMonitor', (error) => {
  thrown = true;
  // Node prints such a value in a form that does not tell it from other output.
  if (!(error instanceof Error)) process.stderr.write(`Error: the module threw ${messageOf(error)}\n`);
});
const endedItself = (code: number): void => {
  if (thrown) return;
  // A process that nothing can wake any more ends with 13, of which Node tells this listener nothing.
  const why =
    code === 0 && process.exitCode !== 0
      ? 'waits at its top level for what never comes'
      : `ended its process with exit code ${code} while it was loaded`;
  process.stderr.write(`Error: ${entry} ${why}\n`);
};
process.once('exit', endedItself);
// From here on, and not for the files of the host itself: Node would read all their source maps at each start.
process.setSourceMapsEnabled(true);
nameCommands();
const manifest = readManifest();
const config = await HostConfig.open();
const module = await loadModule(dir, entry, manifest);
process.off('exit', endedItself);

if (isTrial) {
  await runTrial(module, required(MODULE_ENV.snapshots));
  process.exit();
}
if (manifest.encrypt === true && given.keys === undefined)
  throw new Error(`the broker gave no keys to ${manifest.name}, which encrypts`);
config?.begin(module);
const host = await Host.connect(module, {
  url: required(MODULE_ENV.url),
  seed: given.seed,
  apiPrefix: process.env[MODULE_ENV.apiPrefix] ?? API_PREFIX,
  snapshotsDir: required(MODULE_ENV.snapshots),
  lastExit: process.env[MODULE_ENV.lastExit] ?? 'none',
  instance: required(MODULE_ENV.instance),
  hangMs: limitsOf(manifest).hangMs,
  ...(given.keys === undefined ? {} : { keys: JSON.parse(given.keys) as TreeText }),
  config,
});
process.on('SIGTERM', () => void host.stop());
process.on('SIGINT', () => void host.stop());
await host.run();
// A handler that has left a timer or a socket behind must not keep a module that was stopped.
process.exit();
