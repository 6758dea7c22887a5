import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';

/** A longer line is cut: a process that never ends a line must not fill the memory of its reader. */
export const MAX_LINE_CHARACTERS = 16_384;

/** Calls back with each line of a stream. The end of a cut line has the count of the missing characters. */
export const boundedLines = (stream: Readable, onLine: (line: string) => void): void => {
  const decoder = new StringDecoder('utf8');
  let line = '';
  let cut = 0;
  const take = (text: string): void => {
    const room = MAX_LINE_CHARACTERS - line.length;
    line += text.slice(0, room);
    cut += Math.max(0, text.length - room);
  };
  const flush = (): void => {
    onLine(cut === 0 ? line : `${line} … (${cut} more characters)`);
    line = '';
    cut = 0;
  };
  stream.on('data', (chunk: Buffer) => {
    const [first = '', ...rest] = decoder.write(chunk).split('\n');
    take(first);
    for (const next of rest) {
      flush();
      take(next);
    }
  });
  stream.on('end', () => {
    take(decoder.end());
    if (line !== '') flush();
  });
};
