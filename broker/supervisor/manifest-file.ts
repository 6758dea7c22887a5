import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { MAX_MANIFEST_BYTES, type Manifest, parseManifest } from '../../schemas/manifest.js';
import { readBounded } from '../../system/files/bounded-file.js';

export const MANIFEST_FILE = 'manifest.json';
/** Written for people it has blanks and line ends, which do not count. */
const MAX_MANIFEST_FILE_BYTES = 4 * MAX_MANIFEST_BYTES;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A module on disk: its directory and what its manifest says. */
export interface ModuleSource {
  readonly dir: string;
  readonly manifestPath: string;
  readonly manifest: Manifest;
  /** The SHA-256 of the manifest's file as it was read and checked, in hexadecimal. */
  readonly manifestDigest?: string;
}

/** Reads `<dir>/manifest.json`; nothing of the module is run. */
export const readModule = (directory: string): E.Either<Fault, ModuleSource> => {
  const dir = resolve(directory);
  const manifestPath = join(dir, MANIFEST_FILE);
  const invalid = (message: string, path?: string): E.Either<Fault, never> =>
    E.left(fault('MANIFEST_INVALID', `${manifestPath}: ${message}`, path));
  const read = readBounded(manifestPath, MAX_MANIFEST_FILE_BYTES);
  if (E.isLeft(read)) return invalid(read.left);
  let value: unknown;
  try {
    value = JSON.parse(read.right.toString('utf8'));
  } catch (error) {
    return invalid((error as Error).message);
  }
  const parsed = parseManifest(value);
  return E.isLeft(parsed)
    ? invalid(parsed.left.message, parsed.left.path)
    : E.right({ dir, manifestPath, manifest: parsed.right, manifestDigest: sha256(read.right) });
};
