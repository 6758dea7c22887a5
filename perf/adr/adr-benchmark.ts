import { join } from 'node:path';
import { startReaper } from '../../system/processes/reaper.js';
import { formatNumber } from '../../text/numbers.js';
import { measureIdle } from '../agents/idle.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { writeBenchModule } from '../bench/bench-module.js';
import { newHistogram, type Times, timesIn } from '../bench/histogram.js';
import type { Report, Scenario } from '../bench/scenario.js';
import { startBenchServer } from '../bench/bench-server.js';
import type { BurstOutcome } from '../burst/burst-outcome.js';
import { openProducer, unlimited } from '../journal/load.js';
import { gets } from '../lookup/gets-report.js';
import { stateWrites } from '../lookup/state-writes.js';
import { CLOCK, type ClockCalls, measureClockCalls, type TakesTimes } from './clock-calls.js';
import { LOAD_SCENARIOS, type LoadScenario, runLoad } from './load-scenarios.js';
import { type AdrFigures, requirements } from './requirements.js';
import type { AdrNumber } from './verdicts.js';

const AGENTS = 10_000;
const JOURNAL_SECONDS = 3;
const ALL_RECORDS = 100_000;

const measureJournal = async (scale: number, say: (line: string) => void): Promise<number> => {
  await using server = await startBenchServer('os', say);
  const producer = await openProducer(server.nc, 'os');
  const { perSecond } = await unlimited(producer, JOURNAL_SECONDS * scale);
  await producer.close();
  return perSecond;
};

const measureLoads = async (
  isFull: boolean,
  scale: number,
  say: (line: string) => void,
): Promise<AdrFigures['loads']> => {
  const reaper = startReaper();
  const found: { scenario: LoadScenario; seconds: number; outcome: BurstOutcome }[] = [];
  try {
    for (const scenario of LOAD_SCENARIOS) {
      const { full, short } = scenario.seconds;
      const seconds = isFull ? full : Math.max(1, Math.round(short * scale));
      const outcome = await runLoad(scenario, seconds, reaper);
      say(
        `${scenario.name}: ${formatNumber(outcome.achievedRate)}/s of ${formatNumber(outcome.offeredRate)}/s`,
      );
      found.push({ scenario, seconds, outcome });
    }
    return found;
  } finally {
    await reaper.close();
  }
};

const histogramOfCalls = (): TakesTimes<Times> => {
  const histogram = newHistogram();
  return { take: (ns) => histogram.recordValue(ns), times: () => timesIn(histogram) };
};

const measureCalls = async (scale: number): Promise<ClockCalls<Times>> => {
  const reaper = startReaper();
  try {
    await using dir = await makeBenchDir();
    const dataDir = join(dir.path, 'data');
    const more = ['--no-shipped', '--module', writeBenchModule(dir.path, CLOCK)];
    await using broker = await startBenchBroker(dataDir, reaper, 'os', more);
    return await measureClockCalls({ url: broker.url, dataDir }, scale, histogramOfCalls);
  } finally {
    await reaper.close();
  }
};

const counted = (all: readonly AdrNumber[]): string =>
  [...new Set(all.map(({ verdict }) => verdict))]
    .map((verdict) => `${all.filter((each) => each.verdict === verdict).length} ${verdict}`)
    .join(', ');

/** Every number of ADR-0017, what was measured of it, and whether it is met. */
export const adr: Scenario = {
  name: 'adr',
  summary: 'every number of ADR-0017: asked, measured, met or not, and why',
  takes: ['full'],
  run: async ({ records = ALL_RECORDS, full = false, say }): Promise<Report> => {
    const scale = Math.min(1, records / ALL_RECORDS);
    say('calls of a module');
    const calls = await measureCalls(scale);
    say('the journal');
    const appendedPerSecond = await measureJournal(scale, say);
    const small = { rounds: 1, agents: [AGENTS], peers: [], say, ...(scale < 1 ? { records } : {}) };
    const looked = await gets.run(small);
    const written = await stateWrites.run({ ...small, rounds: 3 });
    const idle = await measureIdle(Math.max(1_000, Math.round(AGENTS * scale)), say);
    const loads = await measureLoads(full, scale, say);
    const ratios = { ...looked.ratios, ...written.ratios };
    const figures: AdrFigures = { calls, appendedPerSecond, ratios, idle, loads };
    const all = requirements(figures);
    return {
      data: { adr: { form: full ? 'full' : 'short', figures, requirements: all } },
      tables: [
        {
          title: `ADR-0017: ${all.length} numbers, ${counted(all)}; ${full ? 'full lengths' : 'short form: the loads are shorter than the ADR asks'}`,
          heads: ['part', 'number', 'asked', 'measured', 'verdict', 'why'],
          rows: all.map(({ part, what, asked, measured, verdict, why }) => [
            part,
            what,
            asked,
            measured,
            verdict,
            why,
          ]),
        },
      ],
    };
  },
};
