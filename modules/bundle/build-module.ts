import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { parseManifest } from '../../schemas/manifest.js';
import { replaceFile, syncPath } from '../../system/files/durable-file.js';
import { makeDirs } from '../../system/files/make-dirs.js';
import { moduleExport } from '../host/module-export.js';
import { definedAt } from '../sdk/defined-at.js';
import type { AnyModule } from '../sdk/module-shape.js';
import { messageOf } from '../sdk/thrown-text.js';
import { BUNDLE_FILE, bundleSource } from './bundle-source.js';
import { thrownIn } from './thrown-in.js';

/** Where a built module came from, next to its manifest. */
export const SOURCE_FILE = 'source.json';
const MANIFEST = 'manifest.json';
/** A module whose top level waits for what never comes would keep its loader for ever. */
const LOAD_MS = 30_000;

/** A module directory that was made of a source file. */
export interface BuiltModule {
  readonly name: string;
  /** It has `index.js`, its source map, `manifest.json` and `source.json`. */
  readonly dir: string;
  readonly file: string;
}

const failed = (message: string): Either<Fault, never> => left(fault('MODULE_BUILD_FAILED', message));

const inTime = async <T>(work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not load within ${LOAD_MS / 1000} s`)), LOAD_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** Runs the bundle, and returns the module that it exports. Stacks name the lines of the source. */
const loadBundle = async (dir: string, file: string, cwd: string): Promise<Either<Fault, AnyModule>> => {
  process.setSourceMapsEnabled(true);
  const shown = relative(cwd, file);
  try {
    const url = pathToFileURL(join(dir, BUNDLE_FILE)).href;
    const found = moduleExport(shown, (await inTime(import(url))) as Record<string, unknown>);
    return 'problem' in found ? failed(found.problem) : right(found.module);
  } catch (thrown) {
    const said = thrown instanceof FaultError ? thrown.fault.message : messageOf(thrown);
    return failed(`${thrownIn(thrown, cwd) ?? shown}: ${said}`);
  }
};

/** The manifest as it is written. What is checked is what the broker will read. */
const manifestText = (module: AnyModule, file: string, cwd: string): Either<Fault, string> => {
  const place = thrownIn(definedAt(module), cwd) ?? relative(cwd, file);
  try {
    const written = { ...module.manifest, start: { entry: `./${BUNDLE_FILE}` } };
    const text = `${JSON.stringify(written, undefined, 2)}\n`;
    const parsed = parseManifest(JSON.parse(text));
    return isLeft(parsed) ? failed(`${place}: ${parsed.left.message}`) : right(text);
  } catch (thrown) {
    return failed(`${place}: its manifest cannot be JSON: ${messageOf(thrown)}`);
  }
};

const digestOf = async (dir: string, manifest: string): Promise<string> => {
  const code = await readFile(join(dir, BUNDLE_FILE));
  return createHash('sha256').update(manifest).update(code).digest('hex').slice(0, 16);
};

/**
 * Makes a module directory of a source file: `<root>/<name>/<digest>`. It stays as it is when the source changes: a
 * broker that starts again runs what was loaded. `run` is around the module's code while it is loaded.
 * MODULE_BUILD_FAILED names the file and the line.
 */
export const buildModule = async (
  file: string,
  root: string,
  {
    cwd = process.cwd(),
    run = (load) => load(),
  }: {
    readonly cwd?: string;
    readonly run?: <T>(load: () => Promise<T>) => Promise<T>;
  } = {},
): Promise<Either<Fault, BuiltModule>> => {
  // As deep as the final directory: the source map has relative paths.
  const dir = join(root, '.new', randomUUID());
  makeDirs(dir);
  try {
    const bundled = await bundleSource(file, dir, cwd);
    if (isLeft(bundled)) return bundled;
    const loaded = await run(() => loadBundle(dir, file, cwd));
    if (isLeft(loaded)) return loaded;
    const manifest = manifestText(loaded.right, file, cwd);
    if (isLeft(manifest)) return manifest;
    const { name } = loaded.right.manifest;
    const final = join(root, name, await digestOf(dir, manifest.right));
    if (!existsSync(final)) {
      await replaceFile(join(dir, MANIFEST), manifest.right);
      await replaceFile(join(dir, SOURCE_FILE), `${JSON.stringify({ file })}\n`);
      await syncPath(join(dir, BUNDLE_FILE));
      makeDirs(dirname(final));
      await rename(dir, final);
      await syncPath(dirname(final));
    }
    return right({ name, dir: final, file });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};
