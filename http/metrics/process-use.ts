import pidusage from 'pidusage';
import type { BrokerStatus } from '../../schemas/operate.js';

/** What a process uses. */
export interface ProcessUse {
  readonly rssBytes: number;
  readonly cpuSeconds: number;
}

/** What the processes of the broker use; one that has just ended is left out. */
export const processUse = async ({
  pid,
  server,
}: Pick<BrokerStatus, 'pid' | 'server'>): Promise<Readonly<Record<string, ProcessUse>>> => {
  const pids: readonly (readonly [name: string, pid: number | null])[] = [
    ['broker', pid],
    ['server', server.pid],
    ['http', process.pid],
  ];
  const found = await Promise.all(
    pids.map(async ([name, each]): Promise<readonly (readonly [string, ProcessUse])[]> => {
      if (each === null) return [];
      try {
        const { memory, ctime } = await pidusage(each);
        return [[name, { rssBytes: memory, cpuSeconds: ctime / 1_000 }]];
      } catch {
        return [];
      }
    }),
  );
  return Object.fromEntries(found.flat());
};
