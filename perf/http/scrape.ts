import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '../../system/async/pause.js';
import { ADDRESS_FILE, type BrokerAddress } from '../../schemas/operate.js';
import { brokerProcesses, processOf } from '../bench/broker-processes.js';
import { atRest, processorTime } from '../bench/processor-time.js';
import { measured } from '../bench/rounds.js';

/** What it costs to read the metrics each second; shares of one core, of broker, server and HTTP together. */
export interface Scrape {
  readonly seconds: number;
  readonly bytes: number;
  readonly without: number;
  readonly with: number;
  /** The median of the differences of the pairs. */
  readonly cores: number;
  readonly pairs: readonly { readonly without: number; readonly with: number }[];
}

/** Of a window, at most. What else the processes do in the background is as much as a scrape, so windows take turns. */
const MOST_SECONDS = 10;
const PAIRS = 5;

export const measureScrape = async (
  dataDir: string,
  http: string,
  say: (line: string) => void,
  wanted: number,
): Promise<Scrape> => {
  const windowSeconds = Math.min(MOST_SECONDS, Math.max(1, Math.round(wanted)));
  const { operatorSeed } = JSON.parse(await readFile(join(dataDir, ADDRESS_FILE), 'utf8')) as BrokerAddress;
  const seed = (await readFile(operatorSeed, 'utf8')).trim();
  const scrape = async (): Promise<number> => {
    const answer = await fetch(`${http}/metrics`, { headers: { authorization: `Bearer ${seed}` } });
    if (!answer.ok) throw new Error(`/metrics: ${answer.status} ${await answer.text()}`);
    return (await answer.text()).length;
  };
  const bytes = await scrape();
  const { server, broker } = await brokerProcesses(dataDir);
  const pids = { server, broker, http: await processOf(broker, 'http-main') };
  const cores = async (each: () => Promise<unknown>): Promise<number> => {
    await atRest(pids);
    const [before, from] = [await processorTime(pids), performance.now()];
    for (let second = 1; second <= windowSeconds; second++) {
      await each();
      await pause(Math.max(0, from + second * 1_000 - performance.now()));
    }
    const after = await processorTime(pids);
    const used = (Object.keys(pids) as (keyof typeof pids)[]).map((role) => after[role] - before[role]);
    return used.reduce((sum, ms) => sum + ms, 0) / (performance.now() - from);
  };
  const pairs: { readonly without: number; readonly with: number }[] = [];
  for (let pair = 1; pair <= PAIRS; pair++) {
    const without = await cores(() => Promise.resolve());
    pairs.push({ without, with: await cores(scrape) });
  }
  const median = (pick: (pair: (typeof pairs)[number]) => number): number => measured(pairs.map(pick)).median;
  const each = median((pair) => pair.with - pair.without);
  say(`a scrape each second: ${(each * 100).toFixed(2)} % of a core, the median of ${PAIRS} pairs`);
  return {
    seconds: windowSeconds,
    bytes,
    without: median((pair) => pair.without),
    with: median((pair) => pair.with),
    cores: each,
    pairs,
  };
};
