import { statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { resolve as resolvePackage } from 'import-meta-resolve';
import { type Fault, fault } from '../../schemas/errors.js';
import { kindOf, readPackageJson } from './package-json.js';

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

/**
 * The file that `main` of a directory's package.json names, else its index file. `npm init` writes a `main` of a file
 * that is not there.
 */
const entryOf = (dir: string, cwd: string): Either<Fault, string | undefined> => {
  const manifest = readPackageJson(dir, cwd);
  if (isLeft(manifest)) return manifest;
  const { main } = manifest.right?.fields ?? {};
  if (main !== undefined && typeof main !== 'string')
    return left(fault('USAGE', `${manifest.right?.file}: main is ${kindOf(main)}: write a path`));
  if (main !== undefined && isFile(join(dir, main))) return right(join(dir, main));
  return right(EXTENSIONS.map((extension) => join(dir, `index.${extension}`)).find(isFile));
};

const inDirectory = (dir: string, cwd: string): Either<Fault, ModuleEntry> => {
  if (isFile(join(dir, MANIFEST))) return right({ kind: 'directory', dir });
  const entry = entryOf(dir, cwd);
  if (isLeft(entry)) return entry;
  const file = entry.right;
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
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    // The package is there, and something in it is wrong: its package.json, or an entry that it does not export.
    if (code !== 'ERR_MODULE_NOT_FOUND') return left(fault('USAGE', `${name} cannot be used: ${message}`));
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
 * directory has no module; USAGE if there is nothing of that name, or if its package.json is broken. An absolute path
 * that is not on this machine is a directory: the broker may run on another machine, and looks itself.
 */
export const findEntry = (named: string, cwd: string): Either<Fault, ModuleEntry> => {
  const path = resolve(cwd, named);
  if (isDirectory(path)) return inDirectory(path, cwd);
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
