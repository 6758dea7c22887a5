// A log holds text of any sender. Characters that control a terminal, or the direction of writing, are shown as their
// numbers.
const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]/gu;

const asNumber = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** The text on one line, which a terminal or a page shows unchanged. */
export const printable = (text: string): string => text.replace(UNPRINTABLE, asNumber);

/** The same for text of several lines: line feeds and tabs stay. */
export const printableText = (text: string): string =>
  text.replace(UNPRINTABLE, (c) => (c === '\n' || c === '\t' ? c : asNumber(c)));

/** The first characters of a text; a shortened one ends with `…`. */
export const clip = (text: string, characters: number): string =>
  text.length <= characters ? text : characters < 1 ? '' : `${text.slice(0, characters - 1)}…`;

/** Text of several lines, each printable and short. A tab becomes two spaces. The lines left out are counted. */
export const printableLines = (text: string, maxLines: number, maxCharacters: number): string => {
  const lines = text.slice(0, maxLines * maxCharacters * 4).split(/\r?\n/);
  const shown = lines
    .slice(0, maxLines)
    .map((line) => clip(printable(line.replaceAll('\t', '  ').trimEnd()), maxCharacters));
  const left = lines.length - shown.length;
  return [...shown, ...(left > 0 ? [`… (${left} more lines)`] : [])].join('\n');
};
