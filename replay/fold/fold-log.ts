import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { type FilterRange, readMerged } from '../../journal/read/read-merged.js';
import { foldedModules } from '../../schemas/folded-events.js';
import { type Fault, toFault } from '../../schemas/errors.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { ModuleFold } from './module-fold.js';
import { type KnownEvents, partsToRead, partsWithViews } from './parts-to-read.js';

export interface FoldRange {
  readonly nc: NatsConnection;
  readonly fromSeq: number;
  readonly toSeq: number;
  /** Without it all events are read, also those that are copies. */
  readonly known?: KnownEvents | undefined;
  /** Default `$JS.API`. */
  readonly apiPrefix?: string;
  /** Called now and then with the sequence that was folded last. */
  readonly onProgress?: (seq: number) => void;
  /** Called for each record that changed an agent. */
  readonly onChange?: (fold: ModuleFold, agent: string, seq: number) => void;
}

const DOT = '.'.charCodeAt(0);

/** The module of `res.<module>.…` or `evt.<module>.…`. */
const moduleOf = ({ subject }: StoredMessage): string => {
  let end = 4;
  while (end < subject.length && subject.charCodeAt(end) !== DOT) end += 1;
  return subject.slice(4, end);
};

const NO_FOLDS: readonly ModuleFold[] = [];

/** Whose records a fold reads: its module's own, or those of the modules whose events it folds. */
const modulesReadBy = ({ name, module: { manifest } }: ModuleFold): readonly string[] =>
  manifest.folds === undefined ? [name] : foldedModules(manifest.folds);

const readersOf = (folds: readonly ModuleFold[]): ReadonlyMap<string, readonly ModuleFold[]> => {
  const readers = new Map<string, ModuleFold[]>();
  for (const fold of folds)
    for (const module of modulesReadBy(fold)) readers.set(module, [...(readers.get(module) ?? []), fold]);
  return readers;
};

const partsFor = (
  folds: readonly ModuleFold[],
  { known, ...range }: Pick<FoldRange, 'fromSeq' | 'toSeq' | 'known'>,
): readonly FilterRange[] => {
  const views = folds.filter(({ module }) => module.manifest.folds !== undefined);
  const modules = folds.filter((fold) => !views.includes(fold)).map(({ name }) => name);
  return views.length === 0
    ? partsToRead(modules, range, known)
    : partsWithViews(modules, views.flatMap(modulesReadBy), range);
};

/**
 * Folds a part of the log into the states of modules, reading it once for all of them. What is folded is written while
 * more is read. Left: what the module's code cannot fold, or what cannot be written or read.
 */
export const foldLog = async (
  folds: readonly ModuleFold[],
  { nc, fromSeq, toSeq, known, apiPrefix, onProgress, onChange }: FoldRange,
): Promise<Either<Fault, void>> => {
  if (folds.length === 0 || toSeq < fromSeq) return right(undefined);
  const readers = readersOf(folds);
  const parts = partsFor(folds, { fromSeq, toSeq, known });
  const options = apiPrefix === undefined ? {} : { apiPrefix };
  try {
    for await (const batch of readMerged(nc, parts, options)) {
      for (const message of batch) {
        for (const fold of folds.length === 1 ? folds : (readers.get(moduleOf(message)) ?? NO_FOLDS)) {
          const agent = fold.add(message);
          if (isLeft(agent)) return agent;
          if (agent.right !== undefined) onChange?.(fold, agent.right, message.seq);
          if (!fold.isFull) continue;
          const written = await fold.write();
          if (isLeft(written)) return written;
        }
      }
      onProgress?.(batch.at(-1)?.seq ?? 0);
    }
    return right(undefined);
  } catch (thrown) {
    return left(toFault(thrown));
  }
};
