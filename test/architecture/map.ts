/** What docs/internals/architecture.md says of the code, for a test to compare with the code. */

/** A file, and what the text says is declared in it. */
export interface Named {
  readonly file: string;
  readonly names: readonly string[];
}

const FILE = /`([a-z][\w/-]*\.ts)`(?: \(((?:`[\w#.]+`(?:, )?)+)\))?/g;

/** Each `file.ts`, with the names behind it: `file.ts` (`Class.method`, `#other`). */
export const named = (text: string): readonly Named[] =>
  // A name may stand in the next line.
  [...text.replaceAll(/\s+/g, ' ').matchAll(FILE)].map(([, file = '', names = '']) => ({
    file,
    names: [...names.matchAll(/`([^`]+)`/g)].flatMap(([, name = '']) => name.split('.')),
  }));

/** Folders in the first column of the tables of the map. */
export const mapped = (text: string): readonly string[] => {
  const map = text.slice(text.indexOf('\n## The map'), text.indexOf('\n## The drawing'));
  return [...map.matchAll(/^\| `([a-z/-]+)` \|/gm)].map(([, folder = '']) => folder);
};

const MODIFIERS = '(?:(?:static|async|get|private|readonly) |\\*)*';

/** Whether a source declares a class, a function, a constant or a method of that name. */
export const declares = (source: string, name: string): boolean =>
  new RegExp(`\\b(?:class|const|function|interface|type) ${name}\\b`).test(source) ||
  new RegExp(`^  ${MODIFIERS}${name}(?:<[^\\n]*>)?\\([^\\n]*(?:\\{|\\()(?:\\}|$)`, 'm').test(source) ||
  new RegExp(`^  ${MODIFIERS}${name}\\($`, 'm').test(source);
