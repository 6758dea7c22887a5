import { join } from 'node:path';
import { newUserKey } from '../../link/nkey.js';
import burst from '../../modules/burst/index.js';
import { connect } from '../../modules/client/index.js';
import type { Durability } from '../../schemas/log.js';
import { pause } from '../../system/async/pause.js';
import { packageRoot } from '../../system/files/package-root.js';
import { startReaper } from '../../system/processes/reaper.js';
import { formatNumber } from '../../text/numbers.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { writeBenchModule } from '../bench/bench-module.js';
import { percentile } from '../bench/percentiles.js';
import { LOG_MODULE, openTallystickWriter } from '../logs/clients/own-log.js';
import { recordAt } from '../logs/clients/log-client.js';
import { CLOCK, measureClockCalls, type TakesTimes, type TimesOfCalls } from './clock-calls.js';
import { LOAD_SCENARIOS, type LoadScenario, runLoad } from './load-scenarios.js';
import { type AdrFigures, requirements } from './requirements.js';
import type { AdrNumber } from './verdicts.js';

/** How it is measured here. */
export interface ShortFormSetting {
  readonly durability: Durability;
  /** 1: in full; less for a quick look. */
  readonly scale: number;
  /** Progress. */
  readonly say: (line: string) => void;
}

const AGENTS = 10_000;
const INGEST = { seconds: 3, batch: 500, inFlight: 8 };
const STEADY_SECONDS = 8;
const SEEN_WITHIN_MS = 60_000;

/** Sorts what it took: enough for some thousands of times, and it needs no package. */
const sortedTimes = (): TakesTimes<TimesOfCalls> => {
  const all: number[] = [];
  return {
    take: (ns) => all.push(ns / 1_000),
    times: () => {
      const sorted = Float64Array.from(all).sort();
      return { p50Us: percentile(sorted, 0.5), p99Us: percentile(sorted, 0.99) };
    },
  };
};

interface BenchedBroker {
  readonly url: string;
  readonly dataDir: string;
}

const ingestRate = async (url: string, seed: string, seconds: number): Promise<number> => {
  const writer = await openTallystickWriter(url, seed);
  const record = recordAt(0);
  const batch = Array.from({ length: INGEST.batch }, () => record);
  const from = performance.now();
  let records = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - from < seconds * 1_000) {
      await writer.append(batch);
      records += batch.length;
    }
  };
  await Promise.all(Array.from({ length: INGEST.inFlight }, lane));
  const perSecond = (records * 1_000) / (performance.now() - from);
  await writer.close();
  return perSecond;
};

/** Looks up agents as a program does that knows the data directory. */
const lookups = async (
  { url, dataDir }: BenchedBroker,
  seed: string,
  agents: number,
): Promise<TimesOfCalls> => {
  const { name } = burst.manifest;
  const writer = await openTallystickWriter(url, seed, {
    module: name,
    subjectAt: (written) => `evt.${name}.counted.a${written}`,
  });
  const encoder = new TextEncoder();
  await writer.append(Array.from({ length: agents }, (_, n) => encoder.encode(JSON.stringify({ p: 0, n }))));
  await writer.close();
  await using tally = await connect({ data: dataDir });
  const until = performance.now() + SEEN_WITHIN_MS;
  while ((await tally.state(burst, `a${agents - 1}`)) === undefined) {
    if (performance.now() > until) throw new Error(`the state of ${agents} agents was not there in time`);
    await pause(20);
  }
  const times = sortedTimes();
  for (let i = 0; i < agents; i++) {
    const from = process.hrtime.bigint();
    // Neighbours are written together; a program asks for any.
    await tally.state(burst, `a${(i * 7_919) % agents}`);
    times.take(Number(process.hrtime.bigint() - from));
  }
  return times.times();
};

/** The numbers of ADR-0017 that take less than a minute, measured by a broker of this installation. */
export const measureShortForm = async ({
  durability,
  scale,
  say,
}: ShortFormSetting): Promise<readonly AdrNumber[]> => {
  const reaper = startReaper();
  try {
    const figures = await (async (): Promise<Omit<AdrFigures, 'loads'>> => {
      await using dir = await makeBenchDir();
      const dataDir = join(dir.path, 'data');
      const [log, states] = [newUserKey(), newUserKey()];
      const args = [
        '--no-shipped',
        ...['--module', writeBenchModule(dir.path, CLOCK)],
        ...['--module', writeBenchModule(dir.path, LOG_MODULE)],
        ...['--module', join(packageRoot(), 'dist', 'modules', burst.manifest.name)],
        ...['--trust', `${LOG_MODULE.manifest.name}=${log.publicKey}`],
        ...['--trust', `${burst.manifest.name}=${states.publicKey}`],
      ];
      say(`starting a broker, durability ${durability}`);
      await using broker = await startBenchBroker(dataDir, reaper, durability, args);
      const running = { url: broker.url, dataDir };
      say('calls');
      const calls = await measureClockCalls(running, scale, sortedTimes);
      say('events of one producer');
      const appendedPerSecond = await ingestRate(broker.url, log.seed, INGEST.seconds * scale);
      const agents = Math.max(100, Math.round(AGENTS * scale));
      say(`states of ${formatNumber(agents)} agents`);
      const looked = await lookups(running, states.seed, agents);
      return {
        calls,
        appendedPerSecond,
        ratios: { getP50Us10k: looked.p50Us, getP99Us10k: looked.p99Us },
      };
    })();
    const scenario = LOAD_SCENARIOS[0] as LoadScenario;
    const seconds = Math.max(1, Math.round(STEADY_SECONDS * scale));
    say(`the load "${scenario.name}" for ${seconds} s`);
    const outcome = await runLoad(scenario, seconds, reaper, { durability, baselineSeconds: 1 });
    const loads = [{ scenario, seconds, outcome }];
    return requirements({ ...figures, loads }).filter(({ measured }) => measured !== '');
  } finally {
    reaper.close();
  }
};
