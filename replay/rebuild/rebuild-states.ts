import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { Generations } from '../../store/snapshots/generations.js';
import type { Fault } from '../../schemas/errors.js';
import type { ModuleFold } from '../fold/module-fold.js';
import { discard, foldWhole, snapshotsDir, type WholeFoldOptions } from './whole-fold.js';

/** Newly folded snapshots of one module, on disk and not in use yet. */
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

const finish = async (fold: ModuleFold): Promise<Either<Fault, RebuiltModule>> => {
  const finished = await fold.finish();
  if (isLeft(finished)) return finished;
  const { name: module, generation, changes } = fold;
  const agents = generation.agents().filter((agent) => agent !== '').length;
  return right({ module, path: generation.dir, seq: fold.position.seq, agents, changes });
};

/**
 * Folds all states of modules from the log again, into separate directories: readers use the old snapshots meanwhile,
 * and these stays until {@link adoptRebuilt}. Where the broker's index knows which events are copies of what results
 * hold, those are not read. Left: why that cannot be done; then nothing is left behind.
 */
export const rebuildSnapshots =
  (options: WholeFoldOptions): TaskEither<Fault, Rebuilt> =>
  async () => {
    const begun = performance.now();
    const folded = await foldWhole(options, 'uncaused');
    if (isLeft(folded)) return folded;
    const { folds, lastSeq } = folded.right;
    const modules: RebuiltModule[] = [];
    for (const fold of folds) {
      const finished = await finish(fold);
      if (isLeft(finished)) {
        await discard(folds);
        return finished;
      }
      modules.push(finished.right);
    }
    for (const fold of folds) await fold.close();
    return right({ modules, lastSeq, seconds: (performance.now() - begun) / 1_000 });
  };

/** From the module's next start on these are its snapshots; that start shows them to readers. */
export const adoptRebuilt = (dataDir: string, { module, path }: RebuiltModule): void => {
  new Generations(snapshotsDir(dataDir, module)).adopt(path);
};
