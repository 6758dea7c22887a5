import type { SourceFile } from './imports.js';

/** A name that has a declaration in more than one file. */
export interface SharedName {
  readonly name: string;
  /** The files that declare it, in the order of the input. */
  readonly paths: readonly string[];
}

interface Declaration {
  readonly name: string;
  readonly isType: boolean;
  readonly isExported: boolean;
  readonly path: string;
}

/** Declarations at the top level only: those begin a line. */
const DECLARATION =
  /^(export )?(?:declare )?(?:abstract )?(?:async )?(type|interface|class|enum|function\*?|const|let)\s+([A-Za-z_$][\w$]*)/gm;

const TYPES: ReadonlySet<string> = new Set(['type', 'interface', 'class', 'enum']);

const declarationsOf = ({ path, text }: SourceFile): Declaration[] =>
  [...text.matchAll(DECLARATION)].map(([, exported, kind = '', name = '']) => ({
    name,
    isType: TYPES.has(kind),
    isExported: exported !== undefined,
    path,
  }));

/**
 * Names with more than one meaning. An exported name counts if two files export it. An exported type counts also if another
 * file declares a type of that name for itself: a reader who knows the first would misread the second.
 */
export const sharedNames = (files: readonly SourceFile[]): SharedName[] => {
  const byName = new Map<string, Declaration[]>();
  for (const declaration of files.flatMap(declarationsOf)) {
    const known = byName.get(declaration.name);
    if (known === undefined) byName.set(declaration.name, [declaration]);
    else known.push(declaration);
  }
  return [...byName].flatMap(([name, all]) => {
    const exported = all.filter(({ isExported }) => isExported);
    if (exported.length === 0) return [];
    const counted = all.filter(({ isExported, isType }) => isExported || isType);
    const paths = [...new Set(counted.map(({ path }) => path))];
    return paths.length > 1 ? [{ name, paths }] : [];
  });
};
