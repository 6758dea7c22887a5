import { readdirSync, readFileSync } from 'node:fs';

/** What the processes of a group have of the machine. */
export interface GroupUsage {
  readonly processes: number;
  /** Memory that no file stands behind: maps of files are the system's cache. */
  readonly memoryBytes: number;
}

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // The process has ended, or the system has no /proc.
    return '';
  }
};

/** Processes and threads of the whole machine: one short file. Undefined: the system does not tell. */
export const threadsOfMachine = (): number | undefined => {
  const found = /^\S+ \S+ \S+ \d+\/(\d+) /.exec(textOf('/proc/loadavg'))?.[1];
  return found === undefined ? undefined : Number(found);
};

const memoryOf = (pid: number | string): number =>
  Number(/^RssAnon:\s+(\d+) kB$/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;

/** Of the leaders alone, as if their groups had no other process. */
export const leaderUsages = (groups: Iterable<number>): ReadonlyMap<number, GroupUsage> =>
  new Map([...groups].map((group) => [group, { processes: 1, memoryBytes: memoryOf(group) }]));

/** Of whole groups: it looks at each process of the machine. */
export const groupUsages = (groups: ReadonlySet<number>): ReadonlyMap<number, GroupUsage> => {
  const usages = new Map<number, GroupUsage>();
  let pids: readonly string[] = [];
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return usages;
  }
  for (const pid of pids) {
    const stat = textOf(`/proc/${pid}/stat`);
    // The name in parentheses can have anything in it.
    const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ', 3)[2]);
    if (!groups.has(group)) continue;
    const { processes, memoryBytes } = usages.get(group) ?? { processes: 0, memoryBytes: 0 };
    usages.set(group, { processes: processes + 1, memoryBytes: memoryBytes + memoryOf(pid) });
  }
  return usages;
};
