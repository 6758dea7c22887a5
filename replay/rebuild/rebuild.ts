import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { logEnds } from '../../broker/journal/reader-api.js';
import { Generations } from '../../broker/snapshots/generations.js';
import { beginScratch } from '../../broker/snapshots/scratch.js';
import type { AnyModule } from '../../modules/sdk/module.js';
import { type Fault, toFault } from '../../schemas/errors.js';
import { foldLog } from '../fold/fold-log.js';
import { ModuleFold } from '../fold/module-fold.js';

export interface RebuildOptions {
  /** A connection that may read the log. */
  readonly nc: NatsConnection;
  /** The data directory whose snapshots are rebuilt. */
  readonly dataDir: string;
  /** The code of the modules. */
  readonly modules: readonly AnyModule[];
  /** Default `$JS.API`. */
  readonly apiPrefix?: string;
  /** Called now and then with the sequence that was folded last, and the one that is the end. */
  readonly onProgress?: (seq: number, lastSeq: number) => void;
}

/** Snapshots of one module that are folded anew and on disk, and that nobody uses yet. */
export interface RebuiltModule {
  readonly module: string;
  /** Their directory. */
  readonly path: string;
  /** Every record of the module up to here is in them. */
  readonly seq: number;
  readonly agents: number;
  /** Records that changed a state. */
  readonly changes: number;
}

export interface Rebuilt {
  readonly modules: readonly RebuiltModule[];
  /** Where the log ended. */
  readonly lastSeq: number;
  readonly seconds: number;
}

export const snapshotsDir = (dataDir: string, module: string): string => join(dataDir, 'snapshots', module);

const openFold = async (
  module: AnyModule,
  dataDir: string,
  logId: string,
): Promise<Either<Fault, ModuleFold>> => {
  let dir: string;
  try {
    dir = beginScratch(snapshotsDir(dataDir, module.manifest.name));
  } catch (error) {
    return left(toFault(error, 'DATA_DIR_UNUSABLE'));
  }
  const opened = await ModuleFold.open(module, dir, logId);
  if (isLeft(opened)) rmSync(dir, { recursive: true, force: true });
  return opened;
};

/** Opens a fold for each module, in a directory of its own; what was opened is removed when one cannot be. */
export const openFolds = async (
  { dataDir, modules }: Pick<RebuildOptions, 'dataDir' | 'modules'>,
  logId: string,
): Promise<Either<Fault, readonly ModuleFold[]>> => {
  const folds: ModuleFold[] = [];
  for (const module of modules) {
    const opened = await openFold(module, dataDir, logId);
    if (isLeft(opened)) {
      await discard(folds);
      return opened;
    }
    folds.push(opened.right);
  }
  return right(folds);
};

export const discard = async (folds: readonly ModuleFold[]): Promise<void> => {
  for (const fold of folds) {
    await fold.close();
    rmSync(fold.generation.dir, { recursive: true, force: true });
  }
};

const finish = async (fold: ModuleFold): Promise<Either<Fault, RebuiltModule>> => {
  const finished = await fold.finish();
  if (isLeft(finished)) return finished;
  const { name: module, generation, changes } = fold;
  const agents = generation.agents().filter((agent) => agent !== '').length;
  return right({ module, path: generation.dir, seq: fold.position.seq, agents, changes });
};

/**
 * Folds all states of modules from the log again, into directories of their own: what is there is read on meanwhile, and
 * stays until {@link adoptRebuilt}. Left: why that cannot be done; then nothing is left behind.
 */
export const rebuildSnapshots =
  (options: RebuildOptions): TaskEither<Fault, Rebuilt> =>
  async () => {
    const begun = performance.now();
    const { nc, apiPrefix = '$JS.API', onProgress } = options;
    const ends = await logEnds({ nc, prefix: apiPrefix });
    if (isLeft(ends)) return left(ends.left.fault);
    const { lastSeq, logId } = ends.right;
    const folds = await openFolds(options, logId);
    if (isLeft(folds)) return folds;
    const modules: RebuiltModule[] = [];
    let outcome: Either<Fault, unknown> = await foldLog(folds.right, {
      nc,
      apiPrefix,
      fromSeq: 1,
      toSeq: lastSeq,
      onProgress: (seq) => onProgress?.(seq, lastSeq),
    });
    for (const fold of folds.right) {
      if (isLeft(outcome)) break;
      const finished = await finish(fold);
      outcome = finished;
      if (!isLeft(finished)) modules.push(finished.right);
    }
    if (isLeft(outcome)) {
      await discard(folds.right);
      return outcome;
    }
    for (const fold of folds.right) await fold.close();
    return right({ modules, lastSeq, seconds: (performance.now() - begun) / 1_000 });
  };

/** From the module's next start on these are its snapshots; that start shows them to readers. */
export const adoptRebuilt = (dataDir: string, { module, path }: RebuiltModule): void => {
  new Generations(snapshotsDir(dataDir, module)).adopt(path);
};
