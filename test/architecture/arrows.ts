import { dirname } from 'node:path/posix';
import { importsOf, type PackageJson, type SourceFile } from './imports.js';

/** Who imports whom: files, or folders, or rooms. Nothing points to itself. */
export type Arrows = ReadonlyMap<string, ReadonlySet<string>>;

/** Files and folders of the product; tests are no part of it. */
export const isProduct = (path: string): boolean => !path.startsWith('test/') && !path.startsWith('build/');

export const folderOf = (path: string): string => dirname(path);

export const roomOf = (path: string): string => path.split('/')[0] ?? '';

/** The arrows between what `nodeOf` makes of each file; files for which it gives undefined have no part in it. */
export const arrowsBetween = (
  files: readonly SourceFile[],
  own: PackageJson,
  nodeOf: (path: string) => string | undefined,
): Arrows => {
  const known = new Set(files.map(({ path }) => path));
  const arrows = new Map<string, Set<string>>();
  for (const file of files) {
    const from = isProduct(file.path) ? nodeOf(file.path) : undefined;
    if (from === undefined) continue;
    const to = arrows.get(from) ?? new Set();
    arrows.set(from, to);
    for (const path of importsOf(file, own)) {
      const node = known.has(path) ? nodeOf(path) : undefined;
      if (node !== undefined && node !== from) to.add(node);
    }
  }
  return arrows;
};

/** All that a node reaches by one arrow or more. */
const reached = (arrows: Arrows, from: string): ReadonlySet<string> => {
  const seen = new Set(arrows.get(from));
  for (const each of seen) for (const next of arrows.get(each) ?? []) seen.add(next);
  return seen;
};

/** Each node that reaches itself. */
export const inCycles = (arrows: Arrows): string[] =>
  [...arrows.keys()].filter((node) => reached(arrows, node).has(node)).toSorted();

/** Without the arrows that a longer way says already. Only for arrows without a cycle. */
export const reduced = (arrows: Arrows): Arrows =>
  new Map(
    [...arrows].map(([from, to]) => {
      const isSaid = (node: string): boolean =>
        [...to].some((other) => other !== node && reached(arrows, other).has(node));
      return [from, new Set([...to].filter((node) => !isSaid(node)))];
    }),
  );
