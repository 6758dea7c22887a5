import type { AuditLine, AuditStatus } from '../../schemas/audit-record.js';
import { formatBytes } from '../../text/bytes.js';
import { printable } from '../../text/printable.js';

const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

/** One record in a line: time, who, what, how it ended, about what. */
export const auditLineText = ({ seq, time, principal, kind, outcome, ...rest }: AuditLine): string => {
  const { target = '', detail, log, count, since } = rest;
  const parts = [
    `${seq}`,
    time,
    principal,
    kind,
    // The kind of a refusal has its code already.
    ...(kind.endsWith(`.${outcome}`) ? [] : [outcome]),
    target,
    ...(count === undefined ? [] : [`(${count} times since ${since ?? '?'})`]),
    ...(log === undefined ? [] : [`(command ${log})`]),
    ...(detail === undefined ? [] : [`- ${detail}`]),
  ];
  return printable(parts.filter((part) => part !== '').join(' '));
};

/** The line of the audit in `status`. */
export const auditStatusText = ({
  records,
  bytes,
  maxBytes,
  acts,
  refused,
  waiting,
  lost,
}: AuditStatus): string => {
  const refusals = Object.entries(refused).map(([code, count]) => `${count} ${code}`);
  return [
    `${plural(records, 'record')}, ${formatBytes(bytes)} of ${formatBytes(maxBytes)}`,
    `since the start ${plural(acts, 'act')}, refused: ${refusals.length === 0 ? 'none' : refusals.join(', ')}`,
    ...(waiting === 0 ? [] : [`${plural(waiting, 'record')} not stored yet`]),
    ...(lost === 0 ? [] : [`${plural(lost, 'record')} LOST: the server took none for too long`]),
  ].join('; ');
};
