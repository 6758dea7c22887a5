/**
 * Loads a bundled module and tells its manifest. The question is on stdin. To load a module runs its code, which may
 * never end, or end its process. So this is a separate process.
 */
import { writeSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { text } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { CageRequest } from '../../schemas/cage.js';
import { FaultError } from '../../schemas/errors.js';
import { parseManifest } from '../../schemas/manifest.js';
import { moduleExport } from '../host/module-export.js';
import { definedAt } from '../sdk/defined-at.js';
import type { AnyModule } from '../sdk/module-shape.js';
import { messageOf } from '../../text/thrown-message.js';
import { ifRefused } from '../../system/cage/lone-code.js';
import { ANSWER_FD, type Question } from './describer.js';
import type { Described } from './describe-module.js';
import { thrownIn } from './thrown-in.js';

/** A loop in the module's code blocks this thread. So another one ends the process when its parent has ended. */
const GUARD = `setInterval(() => {
  if (process.ppid !== ${process.ppid}) process.kill(process.pid, 'SIGKILL');
}, 500)`;
new Worker(GUARD, { eval: true }).unref();

const question = await text(process.stdin);
// The process that would ask has ended.
if (question === '') process.exit();
const { bundle, file, cwd, isCaged } = JSON.parse(question) as Question & { readonly isCaged: boolean };
const shown = relative(cwd, file);

const nextToSource = (paths: unknown): unknown =>
  Array.isArray(paths)
    ? paths.map((path) => (typeof path === 'string' ? resolve(dirname(file), path) : path))
    : paths;

/** The bundle lies elsewhere: what a source calls `./data` is next to the source. Nothing has checked it so far. */
const fromSource = (cage: unknown): unknown => {
  if (typeof cage !== 'object' || cage === null) return cage;
  const { read, write } = cage as CageRequest;
  return { ...cage, read: nextToSource(read), write: nextToSource(write) };
};

/** What is checked is what the broker will read. */
const manifestOf = (module: AnyModule): Described => {
  const place = thrownIn(definedAt(module), cwd) ?? shown;
  try {
    const { manifest: own } = module;
    const written = { ...own, cage: fromSource(own.cage), start: { entry: `./${basename(bundle)}` } };
    const manifest = `${JSON.stringify(written, undefined, 2)}\n`;
    const parsed = parseManifest(JSON.parse(manifest));
    return isLeft(parsed)
      ? { problem: `${place}: ${parsed.left.message}` }
      : { name: parsed.right.name, manifest };
  } catch (thrown) {
    return { problem: `${place}: its manifest cannot be JSON: ${messageOf(thrown)}` };
  }
};

const describe = async (): Promise<Described> => {
  try {
    const found = moduleExport(shown, (await import(pathToFileURL(bundle).href)) as Record<string, unknown>);
    return 'problem' in found ? found : manifestOf(found.module);
  } catch (thrown) {
    const said = thrown instanceof FaultError ? thrown.fault.message : messageOf(thrown);
    const refused = isCaged ? ifRefused(thrown) : '';
    return { problem: `${thrownIn(thrown, cwd) ?? shown}: ${said}${refused}` };
  }
};

process.setSourceMapsEnabled(true);
const answer = Buffer.from(JSON.stringify(await describe()));
for (let at = 0; at < answer.length; ) at += writeSync(ANSWER_FD, answer, at);
// The module may have left a timer or a socket.
process.exit(0);
