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

export interface Sample {
  readonly bytes: number;
  /** Records of the log at that time. */
  readonly records: number;
}

export interface Growth {
  /** Least memory after the warm-up, up to the middle of the run; bytes. */
  readonly begin: number;
  /** Least memory of the last quarter. */
  readonly end: number;
  /** Records that the log took between the middles of both. */
  readonly records: number;
}

/** With fewer samples there is nothing to compare. */
const ENOUGH = 8;

const least = (samples: readonly Sample[]): number => Math.min(...samples.map(({ bytes }) => bytes));

const middle = (samples: readonly Sample[]): number => samples[Math.floor(samples.length / 2)]?.records ?? 0;

/**
 * How memory went. A collector frees when it likes, so single samples say little: the least of a while is what is held. The
 * first tenth, five samples at least where there are enough, is the warm-up.
 */
export const growth = (samples: readonly Sample[]): Growth | undefined => {
  if (samples.length < ENOUGH) return undefined;
  const warm = Math.max(Math.floor(samples.length / 10), Math.min(5, Math.floor(samples.length / 4)));
  const first = samples.slice(warm, Math.max(warm + 2, Math.floor(samples.length / 2)));
  const last = samples.slice(Math.floor((samples.length * 3) / 4));
  return { begin: least(first), end: least(last), records: middle(last) - middle(first) };
};
