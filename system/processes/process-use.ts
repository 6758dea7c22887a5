import { readFileSync } from 'node:fs';
import pidusage from 'pidusage';

/** What a process uses. */
export interface ProcessUse {
  readonly rssBytes: number;
  /** Processor time since its start. */
  readonly cpuMs: number;
  /** Of one core, since this process looked at it before; 0 at the first look. */
  readonly cpuPercent: number;
}

/** Linux tells processor time in these units on every machine: `USER_HZ`. */
const TICK_MS = 10;
const LEAST_PAGE_BYTES = 4_096;
/** A look that is older says nothing of now. */
const OLD_MS = 60_000;

interface CpuLook {
  readonly atMs: number;
  readonly cpuMs: number;
}

const looks = new Map<number, CpuLook>();
let sweptMs = 0;

/** The fields of `/proc/PID/stat` behind the name, which can have anything in it. Source: proc_pid_stat(5). */
const statOf = (pid: number): { readonly cpuMs: number; readonly pages: number } => {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ', 22);
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS, pages: Number(fields[21]) };
};

let pageBytes: number | undefined;

/** A power of two, by what Node says of this process in bytes and Linux in pages. */
const pageSize = (): number => {
  pageBytes ??= Math.max(
    LEAST_PAGE_BYTES,
    2 ** Math.round(Math.log2(process.memoryUsage.rss() / Math.max(1, statOf(process.pid).pages))),
  );
  return pageBytes;
};

const percentSince = (pid: number, cpuMs: number): number => {
  const atMs = performance.now();
  if (atMs - sweptMs > OLD_MS) {
    for (const [each, look] of looks) if (atMs - look.atMs > OLD_MS) looks.delete(each);
    sweptMs = atMs;
  }
  const before = looks.get(pid);
  looks.set(pid, { atMs, cpuMs });
  if (before === undefined || atMs <= before.atMs) return 0;
  // Another process may have the number now.
  return (Math.max(0, cpuMs - before.cpuMs) / (atMs - before.atMs)) * 100;
};

/**
 * What a process uses; undefined: it has ended. On Linux, one short file that is read at once: a way through the
 * threads of Node costs several times as much, and a scrape of metrics looks at all modules.
 */
export const processUse = async (pid: number): Promise<ProcessUse | undefined> => {
  try {
    if (process.platform !== 'linux') {
      const { cpu, memory, ctime } = await pidusage(pid);
      return { rssBytes: memory, cpuMs: ctime, cpuPercent: cpu };
    }
    const { cpuMs, pages } = statOf(pid);
    return { rssBytes: pages * pageSize(), cpuMs, cpuPercent: percentSince(pid, cpuMs) };
  } catch {
    return undefined;
  }
};
