import { readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { resolve as resolvePackage } from 'import-meta-resolve';
import { type Fault, fault } from '../../schemas/errors.js';

/** What a path or a package name leads to: a directory with a manifest, or the source file of a module. */
export type ModuleEntry =
  | { readonly kind: 'directory'; readonly dir: string }
  | { readonly kind: 'source'; readonly file: string };

const MANIFEST = 'manifest.json';
const SOURCE = /\.[cm]?[jt]s$/;
const EXTENSIONS = ['ts', 'mts', 'js', 'mjs', 'cjs'];
const PATH = /^\.{0,2}\/|^\.{1,2}$|^[A-Za-z]:\\/;

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;
const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** The file that `main` of a directory's package.json names, else its index file. */
const entryOf = (dir: string): string | undefined => {
  try {
    const { main } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { main?: unknown };
    if (typeof main === 'string' && isFile(join(dir, main))) return join(dir, main);
  } catch {
    // It has none, or one that names no file.
  }
  return EXTENSIONS.map((extension) => join(dir, `index.${extension}`)).find(isFile);
};

const inDirectory = (dir: string): Either<Fault, ModuleEntry> => {
  if (isFile(join(dir, MANIFEST))) return right({ kind: 'directory', dir });
  const file = entryOf(dir);
  return file === undefined
    ? left(fault('MANIFEST_INVALID', `${dir} has no ${MANIFEST}, and no index.ts or index.js with a module`))
    : right({ kind: 'source', file });
};

/** The innermost directory above a file that has a package.json. */
const packageDir = (file: string): string => {
  for (let dir = dirname(file); dir !== dirname(dir); dir = dirname(dir)) {
    if (isFile(join(dir, 'package.json'))) return dir;
  }
  return dirname(file);
};

const inPackage = (name: string, cwd: string): Either<Fault, ModuleEntry> => {
  try {
    const file = fileURLToPath(resolvePackage(name, pathToFileURL(join(cwd, 'from.js')).href));
    const dirs = [dirname(file), packageDir(file)];
    const dir = dirs.find((each) => isFile(join(each, MANIFEST)));
    return right(dir === undefined ? { kind: 'source', file } : { kind: 'directory', dir });
  } catch {
    return left(
      fault(
        'USAGE',
        `${name} is no file, no directory and no package that is installed in ${cwd} or above it`,
      ),
    );
  }
};

/**
 * Finds the module that a user names: a source file, a directory, or an installed package. MANIFEST_INVALID if a
 * directory has no module; USAGE if there is nothing of that name. An absolute path that is not on this machine is a
 * directory: the broker may run on another machine, and looks itself.
 */
export const findEntry = (named: string, cwd: string): Either<Fault, ModuleEntry> => {
  const path = resolve(cwd, named);
  if (isDirectory(path)) return inDirectory(path);
  if (isFile(path)) {
    return SOURCE.test(path)
      ? right({ kind: 'source', file: path })
      : left(
          fault('USAGE', `${named} is no source file of a module: give a .ts or .js file, or a directory`),
        );
  }
  if (isAbsolute(named) && !SOURCE.test(named)) return right({ kind: 'directory', dir: path });
  return PATH.test(named) || SOURCE.test(named)
    ? left(fault('USAGE', `there is no ${path}`))
    : inPackage(named, cwd);
};
