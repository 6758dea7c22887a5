import { readFileSync } from 'node:fs';

/**
 * What a process has for itself, bytes. Pages of files that it maps, as LMDB's are, belong to the system's cache: they grow
 * with the files and go when somebody else needs the room.
 */
export const ownMemory = (pid: number): number | undefined => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
  } catch {
    return undefined;
  }
};

export interface Growth {
  /** Least memory of the third quarter of the run; bytes. */
  readonly begin: number;
  /** Least memory of the last quarter. */
  readonly end: number;
}

/** With fewer samples there is nothing to compare. */
const ENOUGH = 8;

/**
 * How memory went. A collector frees when it likes, so single samples say little: the least of a while is what is held. The
 * first half is the warm-up: heaps find their size, caches and bounded windows fill.
 */
export const growth = (samples: readonly number[]): Growth | undefined => {
  if (samples.length < ENOUGH) return undefined;
  const third = samples.slice(Math.floor(samples.length / 2), Math.floor((samples.length * 3) / 4));
  const last = samples.slice(Math.floor((samples.length * 3) / 4));
  return { begin: Math.min(...third), end: Math.min(...last) };
};
