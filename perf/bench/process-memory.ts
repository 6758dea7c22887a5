import { readFile } from 'node:fs/promises';
import pidusage from 'pidusage';

export interface ProcessMemory {
  /** Resident bytes, pages that it shares with others included. */
  readonly rss: number;
  /** The same with its share of each shared page; null where the system does not tell. */
  readonly pss: number | null;
}

/** Of what Linux has in `/proc/PID/smaps_rollup`. */
export const pssIn = (rollup: string): number | null => {
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1_024;
};

export const processMemory = async (pid: number): Promise<ProcessMemory> => {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1').catch(() => '');
  return { rss: (await pidusage(pid)).memory, pss: pssIn(rollup) };
};
