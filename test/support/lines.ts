import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** The lines that a stream has given so far; the array grows as they come. */
export const collectLines = (stream: Readable): readonly string[] => {
  const lines: string[] = [];
  createInterface({ input: stream }).on('line', (line) => lines.push(line));
  return lines;
};
