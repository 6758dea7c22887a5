import { formatNumber } from '../../text/numbers.js';
import type { Report, ReportChart, Scenario } from '../bench/scenario.js';
import { measureGets, type Population } from '../lookup/gets.js';
import { type AgentsPoint, type LogPoint, measureAgentGrowth, measureLogGrowth } from './log-growth.js';
import { measureModuleGrowth, type ModulesPoint } from './module-growth.js';

const SHORT = {
  records: [10_000, 100_000, 1_000_000],
  agents: [10, 1_000, 10_000, 100_000],
  modules: [1, 10, 20],
  lookups: [1_000, 10_000, 100_000],
};

const FULL: typeof SHORT = {
  records: [...SHORT.records, 10_000_000],
  agents: [...SHORT.agents, 1_000_000],
  modules: [...SHORT.modules, 50, 100],
  lookups: [...SHORT.lookups, 1_000_000],
};

const MB = 1e6;
const mb = (bytes: number): string => (bytes / MB).toFixed(0);

const bars = <P>(points: readonly P[], label: (point: P) => number, value: (point: P) => number) =>
  points.map((point) => ({ label: formatNumber(label(point)), value: value(point) }));

const chartsOf = (log: readonly LogPoint[], agents: readonly AgentsPoint[]): readonly ReportChart[] => [
  {
    name: 'append',
    title: 'Records appended a second, once the log has so many',
    unit: 'records a second, more is better',
    scale: 'linear',
    bars: bars(
      log,
      ({ records }) => records,
      ({ appendedPerSecond }) => appendedPerSecond,
    ),
  },
  {
    name: 'server-memory',
    title: 'Memory of nats-server by number of agents, two subjects each',
    unit: 'MB, less is better',
    scale: 'linear',
    bars: bars(
      agents,
      ({ agents: count }) => count,
      ({ serverBytes }) => serverBytes / MB,
    ),
  },
];

const lookupRow = ({ agents, stores }: Population): readonly string[] => {
  const { p50Us, p99Us } = stores.snapshots?.atRest ?? {};
  return [
    formatNumber(agents),
    (p50Us?.median ?? Number.NaN).toFixed(2),
    (p99Us?.median ?? Number.NaN).toFixed(2),
  ];
};

const moduleRow = ({ modules, startSeconds, hostsBytes, brokerBytes, callP50Us }: ModulesPoint) => [
  String(modules),
  startSeconds.toFixed(2),
  mb(hostsBytes),
  mb(brokerBytes),
  formatNumber(callP50Us),
];

/** What a record, an agent, a module and a lookup cost as their numbers grow. */
export const growth: Scenario = {
  name: 'growth',
  summary: 'what a record, an agent, a module and a lookup cost as there are more of them',
  takes: ['full'],
  run: async ({ full = false, records: most = Number.MAX_SAFE_INTEGER, say }): Promise<Report> => {
    const { records, agents, modules, lookups } = full ? FULL : SHORT;
    const small = (values: readonly number[]): readonly number[] => values.filter((value) => value <= most);
    const log = await measureLogGrowth(small(records), say);
    const byAgents = await measureAgentGrowth(small(agents), say);
    const byModules = await measureModuleGrowth(most < 1_000_000 ? modules.slice(0, 2) : modules, say);
    const { populations } = await measureGets({ agents: small(lookups), peers: [], rounds: 1, say });
    return {
      data: {
        growth: {
          form: full ? 'full' : 'short',
          log,
          agents: byAgents,
          modules: byModules,
          lookups: populations,
        },
      },
      tables: [
        {
          title: 'a log that grows, os: the last 20,000 records of each size',
          heads: ['records', 'appended per second', 'read per second', 'server, MB'],
          rows: log.map(({ records: size, appendedPerSecond, readPerSecond, serverBytes }) => [
            formatNumber(size),
            formatNumber(appendedPerSecond),
            formatNumber(readPerSecond),
            mb(serverBytes),
          ]),
        },
        {
          title: 'agents, a result and an event each: nats-server keeps each subject in memory',
          heads: ['agents', 'appended per second', 'server, MB'],
          rows: byAgents.map(({ agents: count, appendedPerSecond, serverBytes }) => [
            formatNumber(count),
            formatNumber(appendedPerSecond),
            mb(serverBytes),
          ]),
        },
        {
          title: 'modules, each in its process',
          heads: ['modules', 'start, s', 'hosts, MB', 'broker, MB', 'p50 of a call, us'],
          rows: byModules.map(moduleRow),
        },
        {
          title: 'one agent looked up among so many, by another process, microseconds',
          heads: ['agents', 'p50', 'p99'],
          rows: populations.map(lookupRow),
        },
      ],
      charts: chartsOf(log, byAgents),
    };
  },
};
