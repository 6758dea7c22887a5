import { processMemory } from '../bench/process-memory.js';
import type { PidsByRole } from '../bench/processor-time.js';
import { measured } from '../bench/rounds.js';

/** Bytes of memory of each process at one time. */
interface MemorySample {
  readonly atMs: number;
  readonly bytes: Readonly<Record<string, number>>;
}

/** The name of the sum of all processes. */
export const ALL = 'all';

/** Looks at the memory of processes each so many milliseconds, until it is stopped. */
export const sampleMemory = (pids: PidsByRole<string>, eachMs: number) => {
  const samples: MemorySample[] = [];
  const begun = performance.now();
  const take = async (): Promise<void> => {
    const atMs = performance.now() - begun;
    const found = await Promise.all(
      Object.entries(pids).map(async ([role, pid]) => {
        // Its share of each shared page, where the system tells: the map of a database is no memory of one process.
        const { pss, rss } = await processMemory(pid);
        return [role, pss ?? rss] as const;
      }),
    );
    const all = found.reduce((sum, [, bytes]) => sum + bytes, 0);
    samples.push({ atMs, bytes: { ...Object.fromEntries(found), [ALL]: all } });
  };
  // A process that has ended has no memory to tell. The calls show it.
  const timer = setInterval(() => void take().catch(() => undefined), eachMs);
  return {
    stop: () => clearInterval(timer),
    /** The median of each process in a part of the time; NaN without a sample. */
    median: (role: string, fromMs: number, toMs: number): number =>
      measured(
        samples.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).map(({ bytes }) => bytes[role] ?? 0),
      ).median,
  };
};
