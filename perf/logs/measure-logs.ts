import { formatNumber } from '../../text/numbers.js';
import { type Times, mergedTimes } from '../bench/histogram.js';
import { atRest, type PidsByRole, processorTime } from '../bench/processor-time.js';
import { type Measured, measured } from '../bench/rounds.js';
import type { LogContender } from './log-contenders.js';

/** Records that are written together, and how many of such batches are under way: 4,000 records for every log. */
export const FLOOD = { batch: 500, inFlight: 8, seconds: 1.5, most: 30_000 } as const;
export const ONE_BY_ONE = { seconds: 1, most: 20_000 } as const;
export const PACED = { perSecond: 200, records: 400 } as const;

/** One round of one log. */
interface LogSample {
  readonly one: Times;
  readonly ingestPerSecond: number;
  /** Of all processes together, microseconds a record. */
  readonly ingestCpuUs: number;
  readonly batch: Times;
  /** Not of a log whose reader gets all at once. */
  readonly consumed?: { readonly perSecond: number; readonly cpuUs: number };
  readonly stored: Times;
  readonly delivered: Times;
}

export interface LogFigures {
  readonly rounds: {
    readonly oneP50Us: Measured;
    readonly ingestPerSecond: Measured;
    readonly ingestCpuUs: Measured;
    readonly consumePerSecond?: Measured;
    readonly consumeCpuUs?: Measured;
    readonly deliveredP50Us: Measured;
  };
  /** Of all rounds together. */
  readonly one: Times;
  readonly batch: Times;
  readonly stored: Times;
  readonly delivered: Times;
}

export interface LogsSetting {
  readonly rounds: number;
  /** 1: in full; less for a try. */
  readonly scale: number;
  readonly say: (line: string) => void;
}

/** Processor time of all processes while it runs, and until they rest. */
const withCpu = async <T>(pids: PidsByRole<string>, run: () => Promise<T>): Promise<readonly [T, number]> => {
  const before = await processorTime(pids);
  const found = await run();
  await atRest(pids);
  const after = await processorTime(pids);
  return [
    found,
    Object.keys(pids).reduce((sum, role) => sum + (after[role] ?? 0) - (before[role] ?? 0), 0) * 1_000,
  ];
};

const sampleOf = async (
  { writer, reader, pids, isDirect }: LogContender,
  scale: number,
): Promise<LogSample> => {
  const scaled = (most: number): number => Math.max(10, Math.round(most * scale));
  const one = await writer.ask('one', {
    seconds: ONE_BY_ONE.seconds * scale,
    most: scaled(ONE_BY_ONE.most),
  });
  const [flood, ingestUs] = await withCpu(pids, () =>
    writer.ask('flood', { ...FLOOD, seconds: FLOOD.seconds * scale, most: scaled(FLOOD.most) }),
  );
  const written = one.records + flood.records;
  const [taken, consumeUs] = await withCpu(pids, async () => {
    if (!isDirect) await reader.ask('open', null);
    return reader.ask('take', { records: written });
  });
  const records = scaled(PACED.records);
  const paced = await writer.ask('paced', { perSecond: PACED.perSecond, records });
  const { times: delivered } = await reader.ask('take', { records });
  if (!isDirect) await reader.ask('close', null);
  return {
    one: one.times,
    ingestPerSecond: flood.perSecond,
    ingestCpuUs: ingestUs / flood.records,
    batch: flood.times,
    ...(isDirect ? {} : { consumed: { perSecond: taken.perSecond, cpuUs: consumeUs / written } }),
    stored: paced.times,
    delivered,
  };
};

const figuresOf = (samples: readonly LogSample[]): LogFigures => {
  const of = (pick: (sample: LogSample) => number): Measured => measured(samples.map(pick));
  const all = (pick: (sample: LogSample) => Times): Times => mergedTimes(samples.map(pick));
  const consumed = samples.flatMap((sample) => sample.consumed ?? []);
  return {
    rounds: {
      oneP50Us: of(({ one }) => one.p50Us),
      ingestPerSecond: of(({ ingestPerSecond }) => ingestPerSecond),
      ingestCpuUs: of(({ ingestCpuUs }) => ingestCpuUs),
      ...(consumed.length === 0
        ? {}
        : {
            consumePerSecond: measured(consumed.map(({ perSecond }) => perSecond)),
            consumeCpuUs: measured(consumed.map(({ cpuUs }) => cpuUs)),
          }),
      deliveredP50Us: of(({ delivered }) => delivered.p50Us),
    },
    one: all(({ one }) => one),
    batch: all(({ batch }) => batch),
    stored: all(({ stored }) => stored),
    delivered: all(({ delivered }) => delivered),
  };
};

const told = ({ one, ingestPerSecond, consumed, delivered }: LogSample): string =>
  [
    `one ${formatNumber(one.p50Us)} us`,
    `ingest ${formatNumber(ingestPerSecond)}/s`,
    ...(consumed === undefined ? [] : [`consume ${formatNumber(consumed.perSecond)}/s`]),
    `delivered ${formatNumber(delivered.p50Us)} us`,
  ].join(', ');

/** Of the whole, before the first round: the code of all processes is compiled. */
const WARM = 0.3;

/** All logs take turns in each round: what else the machine does meets all of them. By name. */
export const measureLogs = async (
  contenders: readonly LogContender[],
  { rounds, scale, say }: LogsSetting,
): Promise<ReadonlyMap<string, LogFigures>> => {
  const samples = new Map<string, LogSample[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const contender of contenders) {
      const { name } = contender;
      const sample = await sampleOf(contender, round === 0 ? scale * WARM : scale);
      if (round > 0) samples.get(name)?.push(sample);
      say(`${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}: ${name}: ${told(sample)}`);
    }
  }
  return new Map([...samples].map(([name, all]) => [name, figuresOf(all)]));
};
