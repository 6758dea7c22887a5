import { formatNumber } from '../../text/numbers.js';
import type { ReportTable } from '../bench/scenario.js';
import { REQUEST } from './callees.js';
import type { CommandsFound } from './commands.js';
import { TRACED } from './traced-callee.js';
import type { FiguresByInFlight } from './measure-calls.js';

const CPU = 'processor time of each process, microseconds';

const TITLES: Readonly<Record<string, string>> = {
  [REQUEST]: 'a core NATS request: nothing is stored',
  os: 'a durable call, durability os',
  fsync: 'a durable call, durability fsync',
  [TRACED]: 'a durable call, durability os, with a trace of each',
};

export const callsTable = (
  name: string,
  figures: FiguresByInFlight,
  title = TITLES[name] ?? `${name}, a peer`,
): ReportTable => {
  const roles = Object.keys(Object.values(figures)[0]?.cpuUs ?? {});
  return {
    title: `${title}; ${CPU} a call`,
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

export const commandsTable = (found: CommandsFound): ReportTable => {
  const roles = Object.keys(Object.values(found)[0]?.cpuUs ?? {});
  return {
    title: `commands that no caller waits for, durability os; ${CPU} a command`,
    heads: ['', 'stored', 'of', 'recorded/s', 'handled/s', ...roles],
    rows: Object.entries(found).map(([way, { stored, sent, recordedPerSecond, handledPerSecond, cpuUs }]) => [
      way === 'pub' ? 'nats pub' : 'nats pub -J',
      ...[stored, sent, recordedPerSecond, handledPerSecond].map((value) => formatNumber(value)),
      ...roles.map((role) => (cpuUs[role] ?? Number.NaN).toFixed(0)),
    ]),
  };
};
