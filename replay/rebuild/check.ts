import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { logEnds } from '../../journal/read/reader-api.js';
import { whyForeign } from '../../store/snapshots/folded-elsewhere.js';
import { ModuleAgents } from '../../store/snapshots/index.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { SnapshotComparison, type Difference } from './comparison.js';
import { foldLog } from '../fold/fold-log.js';
import type { ModuleFold } from '../fold/module-fold.js';
import { discard, foldWhole, type WholeFoldOptions } from './whole-fold.js';

export interface CheckOptions extends WholeFoldOptions {
  /** How long snapshots may take to reach where the log ended, milliseconds; default 30,000. */
  readonly timeoutMs?: number;
}

export interface CheckedModule {
  readonly module: string;
  /** Agents that were compared. */
  readonly agents: number;
  /** Records that changed a state. */
  readonly changes: number;
}

export interface Checked {
  /** Those that are what the log gives. */
  readonly modules: readonly CheckedModule[];
  /** The first that is not; nothing is looked at behind it. */
  readonly difference: Difference | undefined;
  readonly seconds: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/** SNAPSHOTS_UNAVAILABLE where they are not of this module and this log, SNAPSHOTS_BEHIND where they do not come. */
const reach = async (
  fold: ModuleFold,
  live: ModuleAgents,
  { nc, apiPrefix = '$JS.API', timeoutMs = DEFAULT_TIMEOUT_MS }: CheckOptions,
): Promise<Either<Fault, void>> => {
  const { position } = live;
  if (position !== undefined) {
    // Behind the position: the log does not end before what stands in the snapshots already.
    const ends = await logEnds({ nc, prefix: apiPrefix });
    if (isLeft(ends)) return left(ends.left.fault);
    const why = whyForeign(position, ends.right, fold.module);
    if (why !== undefined) {
      return left(fault('SNAPSHOTS_UNAVAILABLE', `what ${fold.name} has cannot be compared: ${why}`));
    }
  }
  return fold.changedSeq > 0 ? live.atLeast(fold.changedSeq, { timeoutMs })() : right(undefined);
};

const compare = async (
  fold: ModuleFold,
  foldedTo: number,
  options: CheckOptions,
): Promise<Either<Fault, CheckedModule | Difference>> => {
  const finished = await fold.finish();
  if (isLeft(finished)) return finished;
  const live = new ModuleAgents(fold.name, options.dataDir);
  try {
    const reached = await reach(fold, live, options);
    if (isLeft(reached)) return reached;
    const comparison = new SnapshotComparison(fold, live, foldedTo);
    let difference = comparison.all();
    if (difference === undefined && comparison.aheadSeq > 0) {
      const { nc, apiPrefix } = options;
      const on = await foldLog([fold], {
        nc,
        ...(apiPrefix === undefined ? {} : { apiPrefix }),
        fromSeq: foldedTo + 1,
        toSeq: comparison.aheadSeq,
        onChange: (_fold, agent, seq) => {
          difference ??= comparison.came(agent, seq);
        },
      });
      if (isLeft(on)) return on;
      difference ??= comparison.never();
    }
    const indexed = difference === undefined ? live.checkIndex() : right(undefined);
    if (isLeft(indexed)) return indexed;
    return right(difference ?? { module: fold.name, agents: comparison.agents, changes: fold.changes });
  } catch (thrown) {
    return left(toFault(thrown));
  } finally {
    await live.close();
  }
};

const isDifference = (found: CheckedModule | Difference): found is Difference => 'log' in found;

/**
 * Folds all states of modules from the log, and compares them with the snapshots, agent by agent: sequence, schema
 * and the bytes of the state. Nothing is relied on but the log: every event is read. The modules may continue
 * meanwhile. Left: why that cannot be done.
 */
export const checkSnapshots =
  (options: CheckOptions): TaskEither<Fault, Checked> =>
  async () => {
    const begun = performance.now();
    const folded = await foldWhole(options, 'all');
    if (isLeft(folded)) return folded;
    const { folds, lastSeq } = folded.right;
    try {
      const modules: CheckedModule[] = [];
      let difference: Difference | undefined;
      for (const fold of folds) {
        const found = await compare(fold, lastSeq, options);
        if (isLeft(found)) return found;
        if (isDifference(found.right)) {
          difference = found.right;
          break;
        }
        modules.push(found.right);
      }
      return right({ modules, difference, seconds: (performance.now() - begun) / 1_000 });
    } finally {
      await discard(folds);
    }
  };
