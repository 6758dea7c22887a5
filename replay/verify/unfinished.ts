import { isLeft } from 'fp-ts/lib/Either.js';
import type { LogApi } from '../../broker/journal/reader-api.js';
import { recordsAt } from '../../broker/journal/records-at.js';
import { splitSubject } from '../../schemas/subjects.js';
import type { Missing } from './copies.js';
import { type Findings, LISTED_FINDINGS } from './findings.js';

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** `3 h 12 min`: the two largest units. */
export const durationText = (ms: number): string => {
  let left = Math.max(0, ms);
  const parts: string[] = [];
  for (const [size, unit] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0 || parts.length > 0) parts.push(`${count} ${unit}`);
  }
  return (
    parts
      .filter((part) => !part.startsWith('0 '))
      .slice(0, 2)
      .join(' ') || `${Math.round(ms)} ms`
  );
};

/** Adds the commands that are old and have no result, each with whose it is and for how long it has waited. */
export const addUnanswered = async (
  api: LogApi,
  findings: Findings,
  late: readonly number[],
  nowMs: number,
): Promise<void> => {
  const found = await recordsAt(api, late.slice(0, LISTED_FINDINGS))();
  for (const [index, seq] of late.entries()) {
    const record = isLeft(found) ? undefined : found.right[index];
    const subject = record === undefined ? undefined : splitSubject(record.subject);
    if (record === undefined || subject?.kind !== 'cmd') {
      findings.add('unanswered', seq, '', `command ${seq} has no result`);
      continue;
    }
    const { module, name, agent, sender } = subject;
    const what = agent === undefined ? `${module}.${name}` : `${module}.${name} of ${agent}`;
    const detail = `${what}, sent by ${sender}, has waited for its result for ${durationText(nowMs - record.timeMs)}`;
    findings.add('unanswered', seq, module, detail);
  }
};

/** Adds the copies that are not there, each with whose outcome promises it. */
export const addMissingCopies = async (
  api: LogApi,
  findings: Findings,
  missing: readonly Missing[],
): Promise<void> => {
  const listed = missing.slice(0, LISTED_FINDINGS).map(({ decision }) => decision);
  const found = await recordsAt(api, listed)();
  for (const [index, { cause, decision, part, parts }] of missing.entries()) {
    const record = isLeft(found) ? undefined : found.right[index];
    const subject = record === undefined ? undefined : splitSubject(record.subject);
    const module = subject?.kind === 'res' ? subject.module : '';
    const detail = `copy ${part} of ${parts} of what ${decision} decided for command ${cause} is not there`;
    findings.add('missing', decision, module, detail);
  }
};
