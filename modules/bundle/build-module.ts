import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { SOURCE_FILE } from '../../schemas/config.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { replaceFile, syncPath } from '../../system/files/durable-file.js';
import { makeDirs } from '../../system/files/make-dirs.js';
import { BUNDLE_FILE, type BundleOptions, bundleSource } from './bundle-source.js';
import { describeModule } from './describe-module.js';
import type { DescribeCage } from './describer.js';

/** The directory of builds that have not ended. */
export const NEW_BUILDS = '.new';
const MANIFEST = 'manifest.json';

/** A module directory that was made of a source file. */
export interface BuiltModule {
  readonly name: string;
  /** It has `index.js`, its source map, `manifest.json` and `source.json`. */
  readonly dir: string;
  readonly file: string;
}

const failed = (message: string): Either<Fault, never> => left(fault('MODULE_BUILD_FAILED', message));

const digestOf = async (dir: string, manifest: string): Promise<string> => {
  const hash = createHash('sha256').update(manifest);
  // The map too: a comment moves the lines that a stack names, and leaves the code as it is.
  for (const file of [BUNDLE_FILE, `${BUNDLE_FILE}.map`]) hash.update(await readFile(join(dir, file)));
  return hash.digest('hex').slice(0, 16);
};

/**
 * Makes a module directory of a source file: `<root>/<name>/<digest>`. It stays as it is when the source changes: a
 * broker that starts again runs what was loaded. MODULE_BUILD_FAILED names the file and the line.
 */
export const buildModule = async (
  file: string,
  root: string,
  { cwd = process.cwd(), onPath, ...how }: Partial<BundleOptions> & DescribeCage = {},
): Promise<Either<Fault, BuiltModule>> => {
  // As deep as the final directory: the source map has relative paths.
  const dir = join(root, NEW_BUILDS, randomUUID());
  makeDirs(dir);
  try {
    const bundled = await bundleSource(file, dir, { cwd, onPath });
    if (isLeft(bundled)) return bundled;
    const described = await describeModule(join(dir, BUNDLE_FILE), {
      secret: dirname(root),
      file,
      cwd,
      ...how,
    });
    if (isLeft(described)) return failed(described.left);
    const { name, manifest } = described.right;
    const final = join(root, name, await digestOf(dir, manifest));
    if (!existsSync(final)) {
      await replaceFile(join(dir, MANIFEST), manifest);
      await replaceFile(join(dir, SOURCE_FILE), `${JSON.stringify({ file })}\n`);
      await syncPath(join(dir, BUNDLE_FILE));
      makeDirs(dirname(final));
      // Another process can have made the same at the same moment.
      await rename(dir, final).catch((error: unknown) => {
        if (!existsSync(final)) throw error;
      });
      await syncPath(dirname(final));
    }
    return right({ name, dir: final, file });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};
