import type { AccountUsage } from '../../schemas/account-usage.js';
import type { BrokerStatus } from '../../schemas/operate.js';
import { formatBytes } from '../../text/bytes.js';
import { fittedTable } from './fitted-table.js';

const HEADS = [
  'ACCOUNT',
  'REQUESTS/S',
  'BYTES/S',
  'IN FLIGHT',
  'OPEN',
  'SCHEDULES',
  'PRODUCERS',
  'LOG',
  'OF LOG',
  'REFUSED',
] as const;

const shareOfLog = (bytes: number, maxBytes: number): string =>
  maxBytes > 0 ? `${((100 * bytes) / maxBytes).toFixed(1)}%` : '-';

const rowOf = (used: AccountUsage, maxBytes: number): readonly string[] => [
  used.account,
  used.requestsPerSecond.toFixed(1),
  formatBytes(used.bytesPerSecond),
  `${used.inFlight}`,
  `${used.open}`,
  `${used.schedules}`,
  `${used.producers}`,
  formatBytes(used.logBytes),
  shareOfLog(used.logBytes, maxBytes),
  `${used.refused}`,
];

/** Who uses what, the most active first. A broker of an older version does not tell. */
export const accountsTable = (
  { accounts = [], accountsLeftOut = 0, log }: Pick<BrokerStatus, 'accounts' | 'accountsLeftOut' | 'log'>,
  columns?: number,
): readonly string[] => {
  if (accounts.length === 0) return [];
  const rows = accounts.map((used) => rowOf(used, log.maxBytes));
  const spare = ['PRODUCERS', 'SCHEDULES', 'BYTES/S', 'LOG'] as const;
  return [
    fittedTable(HEADS, rows, { keys: ['ACCOUNT'], spare }, columns),
    ...(accountsLeftOut > 0 ? [`and ${accountsLeftOut} more accounts, which do less`] : []),
  ];
};
