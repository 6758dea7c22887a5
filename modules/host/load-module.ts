import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { isLeft, right } from 'fp-ts/lib/Either.js';
import { type Manifest, parseManifest, schemaOf } from '../../schemas/manifest.js';
import type { AnyModule } from '../sdk/module-shape.js';
import { codeDigest } from './code-digest.js';
import { areUnchanged, type CodeFiles, codeFiles } from './code-files.js';
import { moduleExport } from './module-export.js';

const identify = (manifest: Pick<Manifest, 'name' | 'version' | 'schema'>): string =>
  `${manifest.name} ${manifest.version}, schema ${schemaOf(manifest)}`;

/** Undefined where there is nothing to digest: loading it says in its own words what is wrong. */
const filesOf = async (path: string): Promise<CodeFiles | undefined> => {
  try {
    return await codeFiles(path);
  } catch {
    return undefined;
  }
};

/** Runs the entry file of a module. Throws where what it exports is no module. */
export type RunEntry = (path: string, entry: string) => Promise<AnyModule>;

/** In this process. */
export const runHere: RunEntry = async (path, entry) => {
  const found = moduleExport(entry, (await import(pathToFileURL(path).href)) as Record<string, unknown>);
  if ('problem' in found) throw new Error(found.problem);
  return found.module;
};

/**
 * Runs the entry file of a module, in this process or by `run`. The module has the digest of its code then. Throws
 * where what it exports is no module, or not the one of the manifest.
 */
export const loadModule = async (
  dir: string,
  entry: string,
  manifest: Manifest,
  run: RunEntry = runHere,
): Promise<AnyModule> => {
  const path = resolve(dir, entry);
  const files = await filesOf(path);
  const module = await run(path, entry);
  // Payloads are checked by the schemas of the code: those of the file are not all that the broker must be able to
  // trust.
  const inCode: unknown = JSON.parse(JSON.stringify(module.manifest));
  // The manifest of the file has been checked. A check takes a tenth of the host's start.
  const usable = isDeepStrictEqual(inCode, manifest) ? right(manifest) : parseManifest(inCode);
  if (isLeft(usable))
    throw new Error(`${usable.left.code}: in the code of ${manifest.name}: ${usable.left.message}`);
  // The broker granted what the file says; code that was built from another manifest would be refused piece by piece.
  const [ofFile, ofCode] = [identify(manifest), identify(module.manifest)];
  if (ofFile !== ofCode) throw new Error(`the manifest file is of ${ofFile}, the code of ${ofCode}`);
  // What was loaded is what was digested, unless it changed in between.
  if (files === undefined || !areUnchanged(files)) {
    throw new Error(`the code of ${manifest.name} changed while it was loaded: load it again`);
  }
  const code = codeDigest(files, path);
  const { initial, actions, evolve, upcast, onConfig } = module;
  const parts = { manifest: module.manifest, initial, actions, evolve, code };
  return {
    ...parts,
    ...(upcast === undefined ? {} : { upcast }),
    ...(onConfig === undefined ? {} : { onConfig }),
  };
};
