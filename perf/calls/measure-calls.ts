import type { Program } from '../../system/processes/program.js';
import { formatNumber } from '../../text/numbers.js';
import { atRest, processorTime } from '../bench/processor-time.js';
import { type Measured, measured } from '../bench/rounds.js';
import type { CallerQuestions, CallsRun } from './caller-main.js';
import type { Callee } from './callees.js';

/** One measurement: a callee at so many calls in flight. */
interface CallSample extends CallsRun {
  /** Microseconds a call, by process. What the processes put off until after the calls counts. */
  readonly cpuUs: Readonly<Record<string, number>>;
}

/** Several rounds of it. */
export interface CallFigures {
  readonly perSecond: Measured;
  readonly p50Ms: Measured;
  readonly p99Ms: Measured;
  readonly cpuUs: Readonly<Record<string, Measured>>;
}

export interface CallsSetting {
  readonly inFlight: readonly number[];
  readonly seconds: number;
  readonly most: number;
  readonly rounds: number;
  readonly say: (line: string) => void;
}

export type FiguresByInFlight = Readonly<Record<string, CallFigures>>;

/** Before the first round: so many calls that the code of all processes is compiled, on a busy machine too. */
const WARM = { inFlight: 64, calls: 5_000, seconds: 10 };

const sampleOf = async (
  caller: Program<CallerQuestions>,
  callee: Callee,
  inFlight: number,
  { seconds, most }: CallsSetting,
): Promise<CallSample> => {
  const pids = { ...callee.pids, caller: await caller.ask('pid', null) };
  const before = await processorTime(pids);
  const run = await caller.ask('run', { at: callee.name, inFlight, seconds, most });
  await atRest(callee.pids);
  const after = await processorTime(pids);
  const roles = Object.keys(pids) as (keyof typeof pids)[];
  const cpuUs = Object.fromEntries(
    roles.map((role) => [role, ((after[role] - before[role]) * 1_000) / run.calls]),
  );
  return { ...run, cpuUs };
};

const figuresOf = (samples: readonly CallSample[]): CallFigures => {
  const of = (pick: (sample: CallSample) => number): Measured => measured(samples.map(pick));
  const roles = Object.keys(samples[0]?.cpuUs ?? {});
  return {
    perSecond: of(({ perSecond }) => perSecond),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    cpuUs: Object.fromEntries(roles.map((role) => [role, of(({ cpuUs }) => cpuUs[role] ?? Number.NaN)])),
  };
};

/** A callee is called at these numbers alone, where it has them: a peer of whole seconds a round is enough at two. */
const isCalledAt = ({ only }: Callee, inFlight: number): boolean => only?.includes(inFlight) ?? true;

/** Calls all callees in turn in each round, at each number of calls in flight: other load meets all of them. */
export const measureCalls = async (
  caller: Program<CallerQuestions>,
  callees: readonly Callee[],
  setting: CallsSetting,
): Promise<ReadonlyMap<string, FiguresByInFlight>> => {
  const { inFlight, rounds, say } = setting;
  const samples = new Map<string, CallSample[]>();
  const keyOf = (callee: Callee, each: number): string => `${callee.name}, ${each} in flight`;
  const warm = { ...setting, seconds: WARM.seconds, most: Math.min(WARM.calls, setting.most) };
  for (const callee of callees) await sampleOf(caller, callee, WARM.inFlight, warm);
  for (let round = 1; round <= rounds; round++) {
    for (const each of inFlight) {
      for (const callee of callees.filter((every) => isCalledAt(every, each))) {
        const sample = await sampleOf(caller, callee, each, setting);
        const key = keyOf(callee, each);
        samples.set(key, [...(samples.get(key) ?? []), sample]);
        const { perSecond, p50Ms, cpuUs } = sample;
        const cpu = Object.entries(cpuUs).map(([role, us]) => `${role} ${us.toFixed(0)}`);
        say(
          `round ${round} of ${rounds}: ${key}: ${formatNumber(perSecond)}/s, p50 ${p50Ms.toFixed(2)} ms, us a call: ${cpu.join(', ')}`,
        );
      }
    }
  }
  return new Map(
    callees.map((callee) => [
      callee.name,
      Object.fromEntries(
        inFlight
          .filter((each) => isCalledAt(callee, each))
          .map((each) => [each, figuresOf(samples.get(keyOf(callee, each)) ?? [])]),
      ),
    ]),
  );
};
