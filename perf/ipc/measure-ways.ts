import pidusage from 'pidusage';
import { pause } from '../../system/async/pause.js';
import { formatNumber } from '../../text/numbers.js';
import { type Times, mergedTimes } from '../bench/histogram.js';
import { atRest, processorTime } from '../bench/processor-time.js';
import { type Measured, measured } from '../bench/rounds.js';
import type { MeasuredWay } from './contenders.js';

/** Bytes of a message, and how many of them one run sends. */
export interface Load {
  readonly bytes: number;
  readonly messages: number;
}

/** The loads of the report that this benchmark answers. */
export const LOADS = {
  small: { bytes: 512, messages: 100_000 },
  large: { bytes: 1_000_000, messages: 1_000 },
} as const satisfies Record<string, Load>;
export type LoadName = keyof typeof LOADS;

export const ROUND_TRIPS: readonly Load[] = [
  { bytes: 64, messages: 5_000 },
  { bytes: 256, messages: 5_000 },
  { bytes: 1_024, messages: 5_000 },
  { bytes: 4_096, messages: 5_000 },
  { bytes: 1_000_000, messages: 200 },
];

/** Resident memory of all processes of a way together, bytes. */
export interface WayMemory {
  readonly before: number;
  readonly peak: number;
  readonly after: number;
}

interface Transfer {
  readonly messages: number;
  readonly perSecond: number;
  readonly megabytesPerSecond: number;
  readonly memory: WayMemory;
  /** Microseconds of processor time a message, of all processes together. */
  readonly cpuUs: number;
}

export interface WayFigures {
  readonly throughput: Readonly<
    Record<
      LoadName,
      {
        readonly messages: number;
        readonly perSecond: Measured;
        readonly megabytesPerSecond: Measured;
        readonly cpuUs: Measured;
        /** Of each round. */
        readonly memory: readonly WayMemory[];
      }
    >
  >;
  /** By bytes of the message. */
  readonly roundTrips: Readonly<Record<string, Times>>;
  /** Of one core, while nothing is sent. */
  readonly idleCores: number;
  /** By process, while nothing is sent. */
  readonly idleBytes: Readonly<Record<string, number>>;
}

const LOOK_MS = 100;
const IDLE_MS = 3_000;

const memoryOf = async (pids: readonly number[]): Promise<readonly number[]> => {
  const found = await pidusage([...pids]);
  return pids.map((pid) => found[pid]?.memory ?? 0);
};

const sum = (values: readonly number[]): number => values.reduce((all, each) => all + each, 0);

/** Looks at the memory while it runs. */
const watched = async <T>(pids: readonly number[], run: () => Promise<T>): Promise<readonly [T, number]> => {
  let peak = 0;
  let isOver = false;
  const look = async (): Promise<void> => {
    while (!isOver) {
      peak = Math.max(peak, sum(await memoryOf(pids)));
      await pause(LOOK_MS);
    }
  };
  const looking = look();
  try {
    return [await run(), peak];
  } finally {
    isOver = true;
    await looking;
  }
};

const transfer = async ({ sender, pids, slower, largest }: MeasuredWay, load: Load): Promise<Transfer> => {
  const bytes = Math.min(load.bytes, largest);
  const messages = Math.max(1, Math.round(load.messages / slower));
  const all = Object.values(pids);
  const before = sum(await memoryOf(all));
  const used = await processorTime(pids);
  const [perSecond, peak] = await watched(all, () => sender.ask('throughput', { bytes, messages }));
  await atRest(pids);
  const after = await processorTime(pids);
  const cpuMs = sum(Object.keys(pids).map((role) => (after[role] ?? 0) - (used[role] ?? 0)));
  return {
    messages,
    perSecond,
    megabytesPerSecond: (perSecond * bytes) / 1e6,
    memory: { before, peak: Math.max(before, peak), after: sum(await memoryOf(all)) },
    cpuUs: (cpuMs * 1_000) / messages,
  };
};

const idle = async ({ pids }: MeasuredWay): Promise<Pick<WayFigures, 'idleCores' | 'idleBytes'>> => {
  await atRest(pids);
  const before = await processorTime(pids);
  const from = performance.now();
  await pause(IDLE_MS);
  const after = await processorTime(pids);
  const cpuMs = sum(Object.keys(pids).map((role) => (after[role] ?? 0) - (before[role] ?? 0)));
  const memory = await memoryOf(Object.values(pids));
  return {
    idleCores: cpuMs / (performance.now() - from),
    idleBytes: Object.fromEntries(Object.keys(pids).map((role, i) => [role, memory[i] ?? 0])),
  };
};

const scaled = (load: Load, scale: number): Load => ({
  bytes: load.bytes,
  messages: Math.max(10, Math.round(load.messages * scale)),
});

const figuresOf = (transfers: readonly Transfer[]): WayFigures['throughput'][LoadName] => ({
  messages: transfers[0]?.messages ?? 0,
  perSecond: measured(transfers.map(({ perSecond }) => perSecond)),
  megabytesPerSecond: measured(transfers.map(({ megabytesPerSecond }) => megabytesPerSecond)),
  cpuUs: measured(transfers.map(({ cpuUs }) => cpuUs)),
  memory: transfers.map(({ memory }) => memory),
});

/** All ways take turns in each round: what else the machine does meets all of them. */
export const measureWays = async (
  contenders: readonly MeasuredWay[],
  {
    rounds,
    scale,
    say,
  }: { readonly rounds: number; readonly scale: number; readonly say: (line: string) => void },
): Promise<ReadonlyMap<string, WayFigures>> => {
  const transfers = new Map<string, Transfer[]>();
  const trips = new Map<string, Times[]>();
  const put = <T>(map: Map<string, T[]>, key: string, value: T): void => {
    map.set(key, [...(map.get(key) ?? []), value]);
  };
  const idles = new Map<string, Pick<WayFigures, 'idleCores' | 'idleBytes'>>();
  // The code of all processes is compiled before the first round.
  for (const contender of contenders) await transfer(contender, scaled(LOADS.small, scale / 10));
  for (const contender of contenders) idles.set(contender.name, await idle(contender));
  for (let round = 1; round <= rounds; round++) {
    for (const contender of contenders) {
      const { name, sender, slower, largest } = contender;
      const found: string[] = [];
      for (const load of Object.keys(LOADS) as LoadName[]) {
        const sample = await transfer(contender, scaled(LOADS[load], scale));
        put(transfers, `${name} ${load}`, sample);
        found.push(`${LOADS[load].bytes} B: ${formatNumber(sample.perSecond)}/s`);
      }
      for (const load of ROUND_TRIPS) {
        const { bytes, messages } = scaled(load, scale / slower);
        const sample = await sender.ask('roundTrips', { bytes: Math.min(bytes, largest), messages });
        put(trips, `${name} ${bytes}`, sample);
        if (bytes === 256) found.push(`round trip ${sample.p50Us.toFixed(1)} us`);
      }
      say(`round ${round} of ${rounds}: ${name}: ${found.join(', ')}`);
    }
  }
  return new Map(
    contenders.map(({ name }) => [
      name,
      {
        throughput: {
          small: figuresOf(transfers.get(`${name} small`) ?? []),
          large: figuresOf(transfers.get(`${name} large`) ?? []),
        },
        roundTrips: Object.fromEntries(
          ROUND_TRIPS.map(({ bytes }) => [bytes, mergedTimes(trips.get(`${name} ${bytes}`) ?? [])]),
        ),
        ...(idles.get(name) as Pick<WayFigures, 'idleCores' | 'idleBytes'>),
      },
    ]),
  );
};
