/** Those words of docs/STYLE.md that are wrong wherever they stand. */
const WORDS = [
  ...['whoever', 'anew', 'beside', 'of its own', 'of their own', 'in silence', 'without a word', 'borne out'],
  ...['for want of', 'whereby', 'wherein', 'thereof', 'bound', 'bounds'],
];

/** Also over the end of a line. */
const UNWANTED = new RegExp(`\\b(?:${WORDS.map((word) => word.replaceAll(' ', '\\s+')).join('|')})\\b`, 'gi');

const lineOf = (text: string, at: number): number => text.slice(0, at).split('\n').length;

/** Each unwanted word of a prose, as `path:line: word`. */
export const unwantedWords = (path: string, prose: string): readonly string[] =>
  [...prose.matchAll(UNWANTED)].map(({ 0: found, index }) => `${path}:${lineOf(prose, index)}: ${found}`);
