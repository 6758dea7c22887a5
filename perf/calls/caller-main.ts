/** The process that calls: requests to a plain server and durable calls by one client, and calls to the peers. */
import { percentile } from '../bench/percentiles.js';
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import { type CommandWay, sendAll } from './sending.js';
import { type CallTarget, openTarget } from './targets.js';

export interface CallsAsked {
  /** A key of the setting's `targets`. */
  readonly at: string;
  readonly inFlight: number;
  readonly seconds: number;
  /** The run ends after so many calls, where that is earlier. */
  readonly most: number;
}

export interface CallsRun {
  readonly calls: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export type CallerQuestions = {
  readonly run: { readonly ask: CallsAsked; readonly answer: CallsRun };
  /** Makes one call; its reply. */
  readonly call: {
    readonly ask: { readonly at: string; readonly number: number };
    readonly answer: unknown;
  };
  /** Sends so many commands without a wait for their results. */
  readonly send: {
    readonly ask: { readonly url: string; readonly way: CommandWay; readonly commands: number };
    readonly answer: { readonly begunAtMs: number };
  };
  readonly pid: { readonly ask: null; readonly answer: number };
};

const { targets } = settingOf<{ readonly targets: Readonly<Record<string, CallTarget>> }>();
const open = new Map<string, Awaited<ReturnType<typeof openTarget>>>();
for (const [name, target] of Object.entries(targets)) open.set(name, await openTarget(target));

const callOf = (at: string): ((number: number) => Promise<unknown>) => {
  const call = open.get(at);
  if (call === undefined) throw new Error(`there is no target ${at}`);
  return call;
};

let number = 0;

/** Keeps so many calls in flight: each caller sends its next one when it has its reply. */
const run = async ({ at, inFlight, seconds, most }: CallsAsked): Promise<CallsRun> => {
  const call = callOf(at);
  const latencies: number[] = [];
  const from = performance.now();
  const until = from + seconds * 1_000;
  let left = most;
  const caller = async (): Promise<void> => {
    for (let begun = performance.now(); begun < until && left > 0; ) {
      left -= 1;
      const reply = await call(number++);
      if ((reply as { readonly status?: string } | null)?.status !== 'ok')
        throw new Error(`${at}: a call was answered ${JSON.stringify(reply)}`);
      const now = performance.now();
      latencies.push(now - begun);
      begun = now;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  const elapsed = (performance.now() - from) / 1_000;
  const sorted = Float64Array.from(latencies).sort();
  return {
    calls: sorted.length,
    perSecond: sorted.length / elapsed,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  };
};

answerQuestions<CallerQuestions>({
  run,
  call: ({ at, number: which }) => callOf(at)(which),
  send: async ({ url, way, commands }) => ({ begunAtMs: await sendAll(url, way, commands) }),
  pid: () => process.pid,
});
