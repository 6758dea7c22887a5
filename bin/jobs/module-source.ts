import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { afterAWhile } from './after-a-while.js';
import { sourceOf } from '../../broker/supervisor/module-origin.js';
import { buildModule } from '../../modules/bundle/build-module.js';
import { findEntry } from '../../modules/bundle/find-entry.js';
import type { DescribeCage } from '../../modules/bundle/describer.js';
import { BUILT_DIR } from '../../schemas/config.js';
import { type Fault, fault } from '../../schemas/errors.js';

/** A directory that the broker can load. */
export interface LoadableModule {
  readonly dir: string;
  /** The source file of which it was made; undefined for a directory with a manifest that its author keeps. */
  readonly file?: string;
}

const builtIn = (dataDir: string): string => join(dataDir, BUILT_DIR);

const build = (file: string, dataDir: string, how: DescribeCage): TE.TaskEither<Fault, LoadableModule> =>
  pipe(
    afterAWhile(`${file} is compiled, and its code is loaded for its manifest`, () =>
      buildModule(file, builtIn(dataDir), how),
    ),
    TE.map(({ dir }) => ({ dir, file })),
  );

/**
 * The directory of the module that a user names: a source file, a directory, or an installed package. A module that is
 * defined by its source is built into the data directory. USAGE, MANIFEST_INVALID, MODULE_BUILD_FAILED.
 */
export const loadable = (
  named: string,
  dataDir: () => TE.TaskEither<Fault, string>,
  how: DescribeCage = {},
): TE.TaskEither<Fault, LoadableModule> =>
  pipe(
    TE.fromEither(findEntry(named, process.cwd())),
    TE.chain((entry) =>
      entry.kind === 'directory'
        ? TE.right({ dir: entry.dir })
        : pipe(
            dataDir(),
            TE.chain((dir) => build(entry.file, dir, how)),
          ),
    ),
  );

/** {@link loadable} of several, with the data directory known. */
export const loadableDirs = (
  named: readonly string[],
  dataDir: string,
  how: DescribeCage = {},
): TE.TaskEither<Fault, readonly string[]> =>
  pipe(
    named.map((each) => loadable(each, () => TE.right(dataDir), how)),
    TE.sequenceSeqArray,
    TE.map((all) => all.map(({ dir }) => dir)),
  );

/** {@link loadable} for this command alone: what is built is gone when the process ends. */
export const loadableHere = (named: string, how: DescribeCage = {}): TE.TaskEither<Fault, LoadableModule> => {
  const temporary = (): TE.TaskEither<Fault, string> => {
    const dir = mkdtempSync(join(tmpdir(), 'tallystick-module-'));
    process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
    return TE.right(dir);
  };
  return loadable(named, temporary, how);
};

/** Builds a module again that was built before; any other directory stays as it is. */
export const builtAgain = (
  dir: string,
  dataDir: () => TE.TaskEither<Fault, string>,
  how: DescribeCage = {},
): TE.TaskEither<Fault, LoadableModule> => {
  const file = sourceOf(dir);
  if (file === undefined) return TE.right({ dir });
  return pipe(
    loadable(file, dataDir, how),
    TE.mapLeft((why) =>
      why.code === 'USAGE'
        ? fault(
            'MODULE_BUILD_FAILED',
            `${file} is gone: give the file where it is now as the second argument`,
          )
        : why,
    ),
  );
};
