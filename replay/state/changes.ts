import { isJsonObject, type Json, sameJson } from '../expression/json-value.js';
import { type Path, printPath } from '../expression/path.js';

/** One place where two values differ. */
export interface Change {
  /** As in expressions behind `state.`; empty: the value as a whole. */
  readonly path: string;
  /** Absent where nothing was there: it was added. */
  readonly from?: Json;
  /** Absent where nothing is there any more: it was removed. */
  readonly to?: Json;
}

/** Levels that are gone down; what differs deeper is a change of the value there. */
const MAX_LEVELS = 100;

const partsOf = (value: unknown): ReadonlyMap<string | number, unknown> =>
  Array.isArray(value) ? new Map(value.entries()) : new Map(Object.entries(value as object));

const collect = (before: unknown, after: unknown, path: Path, changes: Change[]): void => {
  if (sameJson(before, after)) return;
  const bothHaveParts =
    (isJsonObject(before) && isJsonObject(after)) || (Array.isArray(before) && Array.isArray(after));
  if (!bothHaveParts || path.length >= MAX_LEVELS) {
    const [from, to] = [before, after] as [Json | undefined, Json | undefined];
    changes.push({
      path: printPath(path),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    });
    return;
  }
  const [was, is] = [partsOf(before), partsOf(after)];
  for (const [key, value] of was) collect(value, is.get(key), [...path, key], changes);
  for (const [key, value] of is) if (!was.has(key)) collect(undefined, value, [...path, key], changes);
};

/**
 * Where two values differ, place by place and as deep as both have parts, to 100 levels: what was removed or changed
 * in the order of the first, then what was added. Lists are compared index by index. Undefined is nothing at all.
 */
export const changesBetween = (before: unknown, after: unknown): readonly Change[] => {
  const changes: Change[] = [];
  collect(before, after, [], changes);
  return changes;
};
