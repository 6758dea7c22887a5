import type { Message } from 'esbuild';

/** A problem that esbuild found: file, line and column, and the line with a pointer below. */
export const problemText = ({ text, location }: Message): string => {
  if (location === null) return text;
  const { file, line, column, lineText } = location;
  const number = String(line);
  const pointer = `${' '.repeat(number.length)} | ${' '.repeat(column)}^`;
  return `${file}:${line}:${column + 1}: ${text}\n${number} | ${lineText}\n${pointer}`;
};
