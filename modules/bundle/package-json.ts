import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import type { BuildFailure } from 'esbuild';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { readBounded } from '../../system/files/bounded-file.js';
import { problemText } from './problem-text.js';

const MAX_BYTES = 4 * 1024 * 1024;
const BYTE_ORDER_MARK = /^\uFEFF/;

/** What a person wrote into package.json, and the name of the file for errors. */
export interface PackageJson {
  readonly fields: Readonly<Record<string, unknown>>;
  /** As seen from the working directory. */
  readonly file: string;
}

const usage = (message: string): Either<Fault, never> => left(fault('USAGE', message));

/** The kind of a JSON value, with its article. */
export const kindOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
};

/** Where a text is no JSON. `JSON.parse` of Node 20 does not always tell, and esbuild does. */
const placeOf = (text: string, file: string, otherwise: string): string => {
  try {
    // Its program has 11 MB: only a file that is broken needs it.
    const { transformSync } = createRequire(import.meta.url)('esbuild') as typeof import('esbuild');
    transformSync(text, { loader: 'json', sourcefile: file, logLevel: 'silent' });
  } catch (thrown) {
    const [first] = (thrown as Partial<BuildFailure>).errors ?? [];
    if (first !== undefined) return problemText(first);
  }
  return `${file}: ${otherwise}`;
};

/**
 * Reads the package.json of a directory. Undefined if there is none. USAGE names the place if it cannot be read, is no
 * JSON, or is no object.
 */
export const readPackageJson = (dir: string, cwd: string): Either<Fault, PackageJson | undefined> => {
  const path = join(dir, 'package.json');
  if (!existsSync(path)) return right(undefined);
  const file = relative(cwd, path);
  const read = readBounded(path, MAX_BYTES);
  if (isLeft(read)) return usage(`${file} cannot be read: ${read.left}`);
  const text = read.right.toString('utf8').replace(BYTE_ORDER_MARK, '');
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (error) {
    return usage(placeOf(text, file, (error as Error).message));
  }
  return kindOf(fields) === 'an object'
    ? right({ fields: fields as PackageJson['fields'], file })
    : usage(`${file} is ${kindOf(fields)}: write an object`);
};
