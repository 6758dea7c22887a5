import { once } from 'node:events';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { FaultError, fault } from '../../schemas/errors.js';

/** So many characters are gathered for one write: a write a line would cost more than all else. */
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

const syncDir = async (dir: string): Promise<void> => {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const unwritable = (path: string, error: unknown): FaultError =>
  new FaultError(fault('USAGE', `${path} cannot be written: ${(error as Error).message}`));

/**
 * Writes lines to a file that is there whole or not at all: beside it first, renamed when it is on the disk. USAGE where
 * the file cannot be written; what `lines` throws leaves nothing behind.
 */
export const writeFileOfLines = async (lines: AsyncIterable<string>, path: string): Promise<Written> => {
  const beside = `${path}.${process.pid}.part`;
  const file = await open(beside, 'wx', 0o600).catch((error: unknown) => {
    throw unwritable(path, error);
  });
  try {
    const written = await write(lines, (chunk) =>
      file.appendFile(chunk).catch((error: unknown) => {
        throw unwritable(path, error);
      }),
    );
    await file.sync();
    await file.close();
    await rename(beside, path).catch((error: unknown) => {
      throw unwritable(path, error);
    });
    await syncDir(dirname(path));
    return written;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(beside, { force: true });
    throw error;
  }
};
