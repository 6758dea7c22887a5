import { startReaper } from '../../system/processes/reaper.js';
import { startProgram } from '../../system/processes/program.js';
import { formatNumber } from '../../text/numbers.js';
import type { Report, ReportTable, Scenario } from '../bench/scenario.js';
import { REQUEST, startBrokerCallee, startRequestCallee } from './callees.js';
import type { CallerQuestions } from './caller-main.js';
import { callRatios } from './calls-ratios.js';
import { AGENTS, CALL_BYTES } from './deposit-calls.js';
import { type FiguresByInFlight, measureCalls } from './measure-calls.js';

const IN_FLIGHT = [1, 16, 64, 256, 1_024] as const;
const SECONDS = 1.5;
const ROUNDS = 3;

const TITLES: Readonly<Record<string, string>> = {
  [REQUEST]: 'a core NATS request: nothing is stored',
  os: 'a durable call, durability os',
  fsync: 'a durable call, durability fsync',
};

const tableOf = (name: string, figures: FiguresByInFlight): ReportTable => {
  const roles = Object.keys(Object.values(figures)[0]?.cpuUs ?? {});
  return {
    title: `${TITLES[name] ?? name}; processor time of each process, microseconds a call`,
    heads: ['in flight', 'calls/s', 'p50 ms', 'p99 ms', ...roles],
    rows: Object.entries(figures).map(([inFlight, { perSecond, p50Ms, p99Ms, cpuUs }]) => [
      formatNumber(Number(inFlight)),
      formatNumber(perSecond.median),
      p50Ms.median.toFixed(2),
      p99Ms.median.toFixed(2),
      ...roles.map((role) => (cpuUs[role]?.median ?? Number.NaN).toFixed(0)),
    ]),
  };
};

export const calls: Scenario = {
  name: 'calls',
  summary:
    'durable calls at both levels, compared with core NATS requests, with the processor time of each process',
  takes: ['in-flight', 'seconds'],
  run: async ({
    inFlight = IN_FLIGHT,
    seconds = SECONDS,
    rounds = ROUNDS,
    records: most = Number.MAX_SAFE_INTEGER,
    say,
  }): Promise<Report> => {
    const reaper = startReaper();
    try {
      await using request = await startRequestCallee(reaper, say);
      await using os = await startBrokerCallee('os', reaper);
      await using fsync = await startBrokerCallee('fsync', reaper);
      const callees = [request, os, fsync];
      const urls = Object.fromEntries(callees.map(({ name, url }) => [name, url]));
      const main = new URL('./caller-main.js', import.meta.url);
      await using caller = startProgram<CallerQuestions>(main, { urls }, reaper);
      const figures = await measureCalls(caller, callees, { inFlight, seconds, most, rounds, say });
      const ratios = callRatios(figures);
      return {
        data: {
          calls: {
            agents: AGENTS,
            payloadBytes: CALL_BYTES,
            seconds,
            rounds,
            callees: Object.fromEntries(figures),
          },
          ratios,
        },
        tables: [
          ...[...figures].map(([name, each]) => tableOf(name, each)),
          {
            title: 'ratios',
            heads: ['', 'measured'],
            rows: Object.entries(ratios).map(([name, value]) => [name, String(value ?? 'not measured')]),
          },
        ],
      };
    } finally {
      await reaper.close();
    }
  },
};
