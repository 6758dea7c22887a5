import type { IndexPosition } from '../../store/log-index/index-files.js';
import type { FilterRange } from '../../journal/read/read-merged.js';

/** Up to where it is known in which parts of the log modules have events that no command caused. */
export type KnownEvents = Pick<IndexPosition, 'seq' | 'uncaused'>;

interface PartRange {
  readonly fromSeq: number;
  readonly toSeq: number;
}

const isSome = ({ fromSeq, toSeq }: PartRange): boolean => fromSeq <= toSeq;

/**
 * The parts of a range where events must be read: where a module has events without a cause, and after the known
 * part.
 */
const eventRanges = (
  modules: ReadonlySet<string>,
  { fromSeq, toSeq }: PartRange,
  { seq, uncaused }: KnownEvents,
): readonly PartRange[] => {
  const own = uncaused.filter(([module]) => modules.has(module));
  const known = {
    fromSeq: Math.max(fromSeq, Math.min(...own.map(([, from]) => from))),
    toSeq: Math.min(toSeq, Math.max(...own.map(([, , to]) => to))),
  };
  return [known, { fromSeq: Math.max(fromSeq, seq + 1), toSeq }].filter(isSome);
};

/** What must be read for modules among which there are read models, which fold the events of `heard`. */
export const partsWithViews = (
  modules: readonly string[],
  heard: readonly string[],
  range: PartRange,
): readonly FilterRange[] => {
  const events = [...new Set([...modules, ...heard])].map((module) => `evt.${module}.>`);
  return [...modules.map((module) => `res.${module}.>`), ...events].map((filter) => ({ filter, ...range }));
};

/**
 * What of a range must be read for the states of modules: their results, and of the events those that no command
 * caused. Copies of what results hold, which most events are, are half of what would be read: where it is `known`
 * that there are no others they are left out. For several modules all of a kind are read, once.
 */
export const partsToRead = (
  modules: readonly string[],
  range: PartRange,
  known: KnownEvents = { seq: 0, uncaused: [] },
): readonly FilterRange[] => {
  const [only, ...others] = modules;
  const whose = others.length === 0 ? `${only}.>` : '>';
  const events = eventRanges(new Set(modules), range, known);
  return [
    { filter: `res.${whose}`, ...range },
    ...events.map((part) => ({ filter: `evt.${whose}`, ...part })),
  ];
};
