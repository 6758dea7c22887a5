import type { ModuleStats, ModuleStatus } from '../../schemas/operate.js';
import { formatBytes } from '../../text/bytes.js';
import { plural } from '../../text/numbers.js';
import { fittedTable } from './fitted-table.js';

const orDash = <T>(value: T | null, format: (value: T) => string = String): string =>
  value === null ? '-' : format(value);

export const modulesTable = (modules: readonly ModuleStatus[], columns?: number): string => {
  const heads = ['MODULE', 'VERSION', 'STATE', 'PID', 'RESTARTS', 'LAG', 'CPU', 'MEMORY'] as const;
  const rows = modules.map(
    ({ name, version, state, pid, restarts, lag, eventsWaiting = 0, cpuPercent, rssBytes }) => [
      name,
      version,
      state,
      orDash(pid),
      `${restarts}`,
      `${lag + eventsWaiting}`,
      orDash(cpuPercent, (percent) => `${percent.toFixed(1)}%`),
      orDash(rssBytes, formatBytes),
    ],
  );
  const sleeping = modules.flatMap(({ name, asleep, nextWake }) =>
    asleep === undefined
      ? []
      : [
          `${name}: ${plural(asleep, 'wait')} of its handlers${nextWake === undefined ? '' : `, the next is due ${nextWake}`}`,
        ],
  );
  // A reason is a sentence. As a column it would push the table off the screen.
  const reasons = modules.flatMap(({ name, reason }) => (reason === null ? [] : [`${name}: ${reason}`]));
  return [
    fittedTable(heads, rows, { keys: ['MODULE', 'STATE'], spare: ['CPU', 'MEMORY', 'VERSION'] }, columns),
    ...sleeping,
    ...reasons,
  ].join('\n');
};

export const statsTable = (modules: readonly ModuleStats[], columns?: number): string => {
  const heads = [
    'MODULE',
    'HANDLED',
    'PENDING',
    'AGENTS',
    'ACTION',
    'COMMANDS',
    'CALLS',
    'ERRORS',
    'MEAN MS',
  ] as const;
  const rows = modules.flatMap(({ name, handled, pending, agents, actions }) => {
    const own = [name, `${handled}`, `${pending}`, `${agents}`];
    const each = actions.map(({ action, commands, calls, errors, meanMs }, i) => [
      ...(i === 0 ? own : ['', '', '', '']),
      action,
      `${commands}`,
      `${calls}`,
      `${errors}`,
      meanMs.toFixed(2),
    ]);
    return each.length > 0 ? each : [own];
  });
  return fittedTable(heads, rows, { keys: ['MODULE', 'ACTION'], spare: ['AGENTS'] }, columns);
};
