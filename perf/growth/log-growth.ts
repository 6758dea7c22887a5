import { readLogBatches } from '../../journal/index.js';
import { formatNumber } from '../../text/numbers.js';
import { startBenchServer } from '../bench/bench-server.js';
import { processMemory } from '../bench/process-memory.js';
import { fillLog } from '../journal/fill.js';

/** What a record costs once the log has so many, and what the server holds. */
export interface LogPoint {
  readonly records: number;
  readonly appendedPerSecond: number;
  readonly readPerSecond: number;
  readonly serverBytes: number;
}

/** What the server holds for so many agents: two subjects each, of the result and of the event. */
export interface AgentsPoint {
  readonly agents: number;
  readonly appendedPerSecond: number;
  readonly serverBytes: number;
}

const SAMPLE = 20_000;
const quiet = (): void => undefined;

const readFrom = async (nc: Parameters<typeof readLogBatches>[0], fromSeq: number): Promise<number> => {
  let [count, from] = [0, performance.now()];
  for await (const batch of readLogBatches(nc, { fromSeq })) count += batch.length;
  from = performance.now() - from;
  return (count * 1_000) / from;
};

/** One log that grows; the last records of each size are timed. */
export const measureLogGrowth = async (
  sizes: readonly number[],
  say: (line: string) => void,
): Promise<readonly LogPoint[]> => {
  await using server = await startBenchServer('os', say);
  const points: LogPoint[] = [];
  let stored = 0;
  for (const records of sizes) {
    const sample = Math.min(SAMPLE, records - stored);
    await fillLog(server.nc, records - stored - sample, quiet);
    const from = performance.now();
    await fillLog(server.nc, sample, quiet);
    const appendedPerSecond = (sample * 1_000) / (performance.now() - from);
    stored = records;
    const readPerSecond = await readFrom(server.nc, records - sample);
    const { rss } = await processMemory(server.pid() as number);
    points.push({ records, appendedPerSecond, readPerSecond, serverBytes: rss });
    say(`${formatNumber(records)} records: ${formatNumber(appendedPerSecond)}/s appended`);
  }
  return points;
};

/** A new log for each number of agents, two records for each agent. */
export const measureAgentGrowth = async (
  counts: readonly number[],
  say: (line: string) => void,
): Promise<readonly AgentsPoint[]> => {
  const points: AgentsPoint[] = [];
  for (const agents of counts) {
    await using server = await startBenchServer('os', quiet);
    const from = performance.now();
    await fillLog(server.nc, 2 * agents, quiet, agents);
    const appendedPerSecond = (2 * agents * 1_000) / (performance.now() - from);
    const { rss } = await processMemory(server.pid() as number);
    points.push({ agents, appendedPerSecond, serverBytes: rss });
    say(`${formatNumber(agents)} agents: the server has ${formatNumber(rss / 1e6)} MB`);
  }
  return points;
};
