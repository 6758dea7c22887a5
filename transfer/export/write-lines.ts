import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { OutFile } from '../../system/files/out-file.js';

/** Characters for one write: a write for each line would cost more than everything else. */
const CHUNK_CHARS = 65_536;

/** What was written. */
export interface Written {
  readonly lines: number;
  readonly bytes: number;
}

const write = async (
  lines: AsyncIterable<string>,
  put: (chunk: Buffer) => Promise<unknown>,
): Promise<Written> => {
  let [count, bytes, waiting] = [0, 0, ''];
  const flush = async (): Promise<void> => {
    const chunk = Buffer.from(waiting);
    waiting = '';
    bytes += chunk.length;
    await put(chunk);
  };
  for await (const line of lines) {
    count += 1;
    waiting += line;
    if (waiting.length >= CHUNK_CHARS) await flush();
  }
  if (waiting !== '') await flush();
  return { lines: count, bytes };
};

/** Writes lines to a stream and waits for a slow reader, so that the source waits too. */
export const writeLines = (lines: AsyncIterable<string>, stream: Writable): Promise<Written> =>
  write(lines, async (chunk) => {
    if (!stream.write(chunk)) await once(stream, 'drain');
  });

/**
 * Writes lines to a file that a person named, as {@link OutFile} does: a regular file is written as a whole or not at
 * all. Throws OUTPUT_FAILED. If `lines` throws, the file stays as it was.
 */
export const writeFileOfLines = async (lines: AsyncIterable<string>, path: string): Promise<Written> => {
  // Only its owner may read the log of a system.
  await using file = await OutFile.open(path, 0o600);
  const written = await write(lines, (chunk) => file.write(chunk));
  await file.finish();
  return written;
};
