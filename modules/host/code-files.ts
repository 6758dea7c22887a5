import { readFileSync, realpathSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { init, parse } from 'es-module-lexer';
import { resolve } from 'import-meta-resolve';
import { isLeft } from 'fp-ts/lib/Either.js';
import { ownPackage } from '../../system/files/own-package.js';
import { readBounded } from '../../system/files/bounded-file.js';

/** What an entry file leads to. */
export interface CodeFiles {
  /** Every file of the module's own code by its real path, with its bytes. */
  readonly own: ReadonlyMap<string, Uint8Array>;
  /** `name@version` of the packages that its own code imports. */
  readonly packages: ReadonlySet<string>;
}

const MAX_FILES = 20_000;
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** What CommonJS loads, and the files next to it that code reads, as far as the path is written out. */
const BY_PATH = [
  /\brequire\s*\(\s*(['"`])([^'"`\n$]+)\1\s*\)/g,
  /\bnew\s+URL\s*\(\s*(['"`])([^'"`\n$]+)\1\s*,\s*import\.meta\.url\s*\)/g,
];
/** The same for what the lexer cannot read: TypeScript, say, that Node itself strips of its types. */
const BY_WORD = /\b(?:from|import)\s*\(?\s*(['"`])([^'"`\n$]+)\1/g;
const IS_CODE = /\.(?:[cm]?[jt]sx?)$|\/[^./]+$/;

const matches = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map(([, , specifier = '']) => specifier);

const specifiersOf = (text: string): readonly string[] => {
  const found = BY_PATH.flatMap((pattern) => matches(text, pattern));
  try {
    const [imports] = parse(text);
    return [
      ...found,
      ...imports.flatMap(({ specifier }) => (typeof specifier === 'string' ? [specifier] : [])),
    ];
  } catch {
    return [...found, ...matches(text, BY_WORD)];
  }
};

const isBuiltin = (specifier: string): boolean =>
  specifier.startsWith('node:') || builtinModules.includes(specifier.split('/')[0] ?? '');

/** The real path that a specifier leads to; undefined where there is nothing, which loading it will say better. */
const resolved = (specifier: string, from: string): string | undefined => {
  const parent = pathToFileURL(from).href;
  const ways = [
    (): string => fileURLToPath(resolve(specifier, parent)),
    // Without an extension, or a folder: CommonJS.
    (): string => createRequire(parent).resolve(specifier),
  ];
  for (const way of ways) {
    try {
      return realpathSync(way());
    } catch {
      // The next way.
    }
  }
  return undefined;
};

/** The innermost package in a `node_modules` that a file is in; empty where it is in none. */
const installedIn = (file: string): string =>
  /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0] ?? '';

/** This package, of which the digest has the version: what a module imports of it is not read file by file. */
const OURS = `${ownPackage().root}/`;

const packageOf = (file: string): string => {
  for (let dir = dirname(file); dir !== dirname(dir); dir = dirname(dir)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Record<
        string,
        unknown
      >;
      if (typeof name === 'string' && typeof version === 'string') return `${name}@${version}`;
    } catch {
      // None here, or one without a name, which only says how its files are to be read.
    }
  }
  return file;
};

const bytesOf = (file: string): Buffer => {
  const read = readBounded(file, MAX_FILE_BYTES);
  if (isLeft(read)) throw new Error(`${file} cannot be read: ${read.left}`);
  return read.right;
};

/** Whether all files are as they were read. Throws where one cannot be read any more. */
export const areUnchanged = ({ own }: CodeFiles): boolean =>
  [...own].every(([file, bytes]) => bytesOf(file).equals(bytes));

/**
 * Finds what an entry file leads to: the files that it imports and requires, directly or not, as far as that is
 * written in them. Of what is installed in a `node_modules`, name and version. Throws where a file cannot be read.
 */
export const codeFiles = async (entry: string): Promise<CodeFiles> => {
  await init();
  const first = realpathSync(entry);
  const home = installedIn(first);
  const nextTo = `${dirname(first)}/`;
  const isOwn = (file: string): boolean =>
    file.startsWith(nextTo) || (installedIn(file) === home && !file.startsWith(OURS));
  const own = new Map<string, Uint8Array>();
  const packages = new Set<string>();
  const waiting = [first];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (own.has(file)) continue;
    if (own.size === MAX_FILES) throw new Error(`${entry} leads to more than ${MAX_FILES} files`);
    const bytes = bytesOf(file);
    own.set(file, bytes);
    if (!IS_CODE.test(file)) continue;
    for (const specifier of specifiersOf(Buffer.from(bytes).toString('utf8'))) {
      const next = isBuiltin(specifier) ? undefined : resolved(specifier, file);
      if (next === undefined) continue;
      if (isOwn(next)) waiting.push(next);
      else packages.add(packageOf(next));
    }
  }
  return { own, packages };
};
