import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Either, flatten, isRight, left, right, tryCatch } from 'fp-ts/lib/Either.js';
import { replaceFile } from '../../system/files/durable-file.js';
import type { Gap } from './gaps.js';
import type { Mark } from './marks.js';
import { setAside } from '../../system/files/set-aside.js';

/** What was seen of a log. */
export interface Memory {
  /** Identity of the log: when the stream was created. */
  readonly logId: string;
  /** In order of their sequences. */
  readonly marks: readonly Mark[];
  /** Where the log had come to, of which there is no mark, when the broker found that it had lost records. */
  readonly reached?: number;
  /** What is known to be missing in the middle of the log, and has been told. */
  readonly gaps?: readonly Gap[];
  /** What the broker found missing besides that; it has ended since. */
  readonly missing?: readonly Gap[];
  /** How many records the server knew to be gone when that was told. */
  readonly gone?: number;
}

const FORMAT = 1;

export const witnessPath = (dataDir: string): string => join(dataDir, 'witness');

const sum = (line: string): string => createHash('sha256').update(line).digest('hex');

/** One line of JSON and one with its checksum: a damaged witness must not be taken for a damaged log. */
const encode = (memory: Memory): string => {
  const line = JSON.stringify({ format: FORMAT, ...memory });
  return `${line}\n${sum(line)}\n`;
};

const decode = (path: string): Either<string, Memory> => {
  const text = readFileSync(path, 'utf8');
  const [line = '', checksum] = text.split('\n');
  if (sum(line) !== checksum) return left('its checksum is wrong');
  const { format, ...memory } = JSON.parse(line) as Memory & { readonly format: number };
  return format === FORMAT ? right(memory) : left(`it has format ${format}, known is ${FORMAT}`);
};

/**
 * What an earlier broker has seen; undefined where none has. A file that cannot be used is set aside: `Left` says so.
 */
export const readWitness = (dataDir: string): Either<string, Memory | undefined> => {
  const path = witnessPath(dataDir);
  if (!existsSync(path)) return right(undefined);
  const read = flatten(tryCatch(() => decode(path), String));
  if (isRight(read)) return read;
  return left(`${path}: ${read.left}; it is kept as ${setAside(path)}`);
};

/**
 * On the disk when it resolves: what it says was seen, a loss of power must not take along with what it was seen of.
 */
export const writeWitness = (dataDir: string, memory: Memory): Promise<void> =>
  replaceFile(witnessPath(dataDir), encode(memory));
