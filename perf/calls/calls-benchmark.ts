import { startReaper } from '../../system/processes/reaper.js';
import { startProgram } from '../../system/processes/program.js';
import { formatNumber } from '../../text/numbers.js';
import type { Report, ReportTable, Scenario } from '../bench/scenario.js';
import { REQUEST, startBrokerCallee, startRequestCallee } from './callees.js';
import type { CallerQuestions } from './caller-main.js';
import { type CommandFigures, type CommandsFound, sayCommands, sendCommands } from './commands.js';
import { COMMAND_WAYS, type CommandWay } from './sending.js';
import { callRatios } from './calls-ratios.js';
import { AGENTS, CALL_BYTES } from './deposit-calls.js';
import { type FiguresByInFlight, measureCalls } from './measure-calls.js';

const IN_FLIGHT = [1, 16, 64, 256, 1_024] as const;
const SECONDS = 1.5;
const ROUNDS = 3;
const COMMANDS = 20_000;

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

const commandsTable = (found: CommandsFound): ReportTable => {
  const [first] = Object.values(found);
  const roles = Object.keys(first?.cpuUs ?? {});
  return {
    title: `commands that no caller waits for, durability os; processor time of each process, microseconds a command`,
    heads: ['', 'stored', 'of', 'recorded/s', 'handled/s', ...roles],
    rows: Object.entries(found).map(([way, { stored, sent, recordedPerSecond, handledPerSecond, cpuUs }]) => [
      way === 'pub' ? 'nats pub' : 'nats pub -J',
      ...[stored, sent, recordedPerSecond, handledPerSecond].map((value) => formatNumber(value)),
      ...roles.map((role) => (cpuUs[role] ?? Number.NaN).toFixed(0)),
    ]),
  };
};

export const calls: Scenario = {
  name: 'calls',
  summary:
    'durable calls at both levels, compared with core NATS requests, with the processor time of each process',
  takes: ['in-flight', 'seconds', 'commands'],
  run: async ({
    inFlight = IN_FLIGHT,
    seconds = SECONDS,
    rounds = ROUNDS,
    records: most = Number.MAX_SAFE_INTEGER,
    commands = Math.min(COMMANDS, most),
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
      const found: { -readonly [W in CommandWay]?: CommandFigures } = {};
      for (const way of commands === 0 ? [] : COMMAND_WAYS) {
        const sent = await sendCommands(way, commands, caller, os);
        found[way] = sent;
        say(sayCommands(way, sent));
      }
      const ratios = callRatios(figures, found);
      return {
        data: {
          calls: {
            agents: AGENTS,
            payloadBytes: CALL_BYTES,
            seconds,
            rounds,
            callees: Object.fromEntries(figures),
          },
          commands: found,
          ratios,
        },
        tables: [
          ...[...figures].map(([name, each]) => tableOf(name, each)),
          ...(commands === 0 ? [] : [commandsTable(found)]),
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
