import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { mapPage } from '../../store/lmdb/mapped-page.js';

/** What the numbers begin with, in a file that has other things before and behind them. */
const MARK = Buffer.from('tally-noted-nums');

/** Numbers in a file that outlives the process. */
export interface NotedNumbers {
  readonly set: (index: number, value: number) => void;
  /** Removes the file: the process ends in order. Nothing may be set after that. */
  readonly close: () => void;
}

/** The numbers that a process before left in a file; none where there is no such file, or it is of another kind. */
export const numbersIn = (path: string, count: number): Float64Array => {
  const numbers = new Float64Array(count);
  let file: Buffer;
  try {
    file = readFileSync(path);
  } catch {
    return numbers;
  }
  const at = file.indexOf(MARK);
  const from = at + MARK.length;
  if (at >= 0) new Uint8Array(numbers.buffer).set(file.subarray(from, from + numbers.byteLength));
  return numbers;
};

const mapped = async (path: string, value: Buffer): Promise<NotedNumbers | undefined> => {
  const page = await mapPage(path, value);
  if (page === undefined) return undefined;
  const { buffer, byteOffset } = page.bytes;
  const numbers = new Float64Array(buffer, byteOffset + MARK.length, (value.length - MARK.length) / 8);
  return {
    set: (index, number) => {
      numbers[index] = number;
    },
    close: () => {
      rmSync(path, { force: true });
      void page.close();
    },
  };
};

/** Plain writes without a sync: the page cache outlives the process. */
const written = (path: string, value: Buffer): NotedNumbers => {
  const fd = openSync(path, 'w', 0o600);
  writeSync(fd, value);
  const one = new Float64Array(1);
  return {
    set: (index, number) => {
      one[0] = number;
      writeSync(fd, one, 0, 8, MARK.length + 8 * index);
    },
    close: () => {
      rmSync(path, { force: true });
      closeSync(fd);
    },
  };
};

/** Begins with zeros. A number costs a store in memory where the file can be mapped, else a system call. */
export const noteNumbers = async (path: string, count: number): Promise<NotedNumbers> => {
  const value = Buffer.concat([MARK, Buffer.alloc(8 * count)]);
  try {
    return (await mapped(path, value)) ?? written(path, value);
  } catch {
    return written(path, value);
  }
};
