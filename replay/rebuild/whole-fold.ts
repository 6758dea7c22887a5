import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import type { IndexPosition } from '../../store/log-index/index-files.js';
import { readIndexPosition } from '../../store/log-index/read-position.js';
import { type LogEnds, logEnds } from '../../journal/read/reader-api.js';
import { beginScratch } from '../../store/snapshots/scratch-folds.js';
import { KeptSeals } from '../../store/seals/kept-seals.js';
import { tryKeys } from '../../store/seals/seal-files.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { type Fault, toFault } from '../../schemas/errors.js';
import { foldLog } from '../fold/fold-log.js';
import { ModuleFold } from '../fold/module-fold.js';

export interface WholeFoldOptions {
  /** A connection that may read the log. */
  readonly nc: NatsConnection;
  /** The data directory whose snapshots are meant. */
  readonly dataDir: string;
  /** The code of the modules. */
  readonly modules: readonly AnyModule[];
  /** Default `$JS.API`. */
  readonly apiPrefix?: string;
  /** Called now and then with the sequence that was folded last, and the one that is the end. */
  readonly onProgress?: (seq: number, lastSeq: number) => void;
}

/** Which events are read: all, or those that may be no copies, as far as the broker's index knows. */
export type EventsToRead = 'all' | 'uncaused';

export interface WholeFold {
  /** One for each module, in a separate directory without readers. */
  readonly folds: readonly ModuleFold[];
  /** Where the log ended. */
  readonly lastSeq: number;
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
  const keys = tryKeys(() => new KeptSeals(module.manifest.name, dataDir).now());
  const opened = isLeft(keys) ? keys : await ModuleFold.open(module, dir, logId, keys.right);
  if (isLeft(opened)) rmSync(dir, { recursive: true, force: true });
  return opened;
};

/** Opens a fold for each module, in a separate directory. If one cannot be opened, the others are removed. */
export const openFolds = async (
  { dataDir, modules }: Pick<WholeFoldOptions, 'dataDir' | 'modules'>,
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

/** Whether it is of this log; one that stands behind the end is of a log that had more (I9). */
const isOf = ({ logId, lastSeq }: LogEnds, position: IndexPosition): boolean =>
  position.logId === logId && position.seq <= lastSeq;

/** Folds the states of modules from all of the log. Left: why that cannot be done; then nothing is left behind. */
export const foldWhole = async (
  options: WholeFoldOptions,
  events: EventsToRead,
): Promise<Either<Fault, WholeFold>> => {
  const { nc, dataDir, apiPrefix = '$JS.API', onProgress } = options;
  // Before the end is looked up: what it knows lies before that, where the log is the same.
  const position = events === 'all' ? undefined : await readIndexPosition(dataDir);
  const ends = await logEnds({ nc, prefix: apiPrefix });
  if (isLeft(ends)) return left(ends.left.fault);
  const { lastSeq, logId } = ends.right;
  const folds = await openFolds(options, logId);
  if (isLeft(folds)) return folds;
  const folded = await foldLog(folds.right, {
    nc,
    apiPrefix,
    fromSeq: 1,
    toSeq: lastSeq,
    known: position !== undefined && isOf(ends.right, position) ? position : undefined,
    onProgress: (seq) => onProgress?.(seq, lastSeq),
  });
  if (!isLeft(folded)) return right({ folds: folds.right, lastSeq });
  await discard(folds.right);
  return folded;
};
