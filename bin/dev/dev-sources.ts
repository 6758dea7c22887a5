import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { findEntry } from '../../modules/bundle/find-entry.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { type NamedModules, namedModules } from './named-modules.js';

/** The sources of modules that `tallystick dev` builds and watches; absolute paths. */
export interface DevSources {
  readonly files: readonly string[];
  /** Folders in which each source file is a module, also a file that comes later. */
  readonly folders: readonly string[];
}

const DEFAULT_FOLDER = 'modules';
const SOURCE = /\.[cm]?[jt]s$/;
const NO_MODULE = /^\.|\.(?:test|spec|d)\.[cm]?[jt]s$/;

/** Whether a file of a folder of modules is a module: a source file that is no test and no declaration. */
export const isModuleFile = (name: string): boolean => SOURCE.test(name) && !NO_MODULE.test(name);

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

const namedBy = (given: readonly string[], cwd: string): Either<Fault, NamedModules> => {
  if (given.length > 0) return right({ paths: given, place: '' });
  const listed = namedModules(cwd);
  if (isLeft(listed)) return listed;
  if (listed.right !== undefined) return right(listed.right);
  if (isDirectory(join(cwd, DEFAULT_FOLDER))) return right({ paths: [`./${DEFAULT_FOLDER}`], place: '' });
  const none = `there is no ./${DEFAULT_FOLDER}, and package.json has no tallystick.modules`;
  return left(
    fault(
      'USAGE',
      `${none}: write a module in ./${DEFAULT_FOLDER}, or name its file: tallystick dev ./tickets.ts`,
    ),
  );
};

const sourcesOf = (named: string, cwd: string): Either<Fault, DevSources> => {
  const path = resolve(cwd, named);
  const entry = findEntry(named, cwd);
  if (!isLeft(entry)) {
    if (entry.right.kind === 'source') return right({ files: [entry.right.file], folders: [] });
    const how = `start it with \`tallystick start --module ${named}\`, and reload it with \`tallystick module reload\``;
    return left(fault('USAGE', `${named} has a manifest.json that you keep, and dev builds sources: ${how}`));
  }
  // A folder of modules is no module. Any other problem of a folder is one of its package.json.
  if (!isDirectory(path) || entry.left.code !== 'MANIFEST_INVALID') return entry;
  const names = readdirSync(path).filter(isModuleFile).toSorted();
  return right({ files: names.map((name) => join(path, name)), folders: [path] });
};

/**
 * The sources that the arguments name; else those of `tallystick.modules` in package.json; else each source file in
 * `./modules`. A name is a file, a folder of modules, or a package. USAGE if it is none of them, or if
 * package.json is broken.
 */
export const findDevSources = (given: readonly string[], cwd: string): Either<Fault, DevSources> => {
  const named = namedBy(given, cwd);
  if (isLeft(named)) return named;
  const files = new Set<string>();
  const folders = new Set<string>();
  const { paths, place } = named.right;
  for (const each of paths) {
    const found = sourcesOf(each, cwd);
    if (isLeft(found)) {
      const { code, message } = found.left;
      return place === '' ? found : left(fault(code, `${place}: ${message}`));
    }
    for (const file of found.right.files) files.add(file);
    for (const folder of found.right.folders) folders.add(folder);
  }
  return right({ files: [...files], folders: [...folders] });
};
