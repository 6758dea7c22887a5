import { isLeft } from 'fp-ts/lib/Either.js';
import type { LogApi } from '../../journal/read/reader-api.js';
import { recordsAt } from '../../journal/read/records-at.js';
import { splitSubject } from '../../schemas/subjects.js';
import { isSamePayload } from '../../schemas/canonical-json.js';
import type { StoredMessage } from '../../schemas/record.js';
import { laneText } from './verify-waits.js';
import { promisedCopies } from '../../schemas/result-bytes.js';
import type { Astray } from './answers.js';
import type { Differing, Missing } from './copies.js';
import { type Findings, LISTED_FINDINGS } from './findings.js';
import { quoted, quotedBytes } from './found-value.js';

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** `3 h 12 min`: the two largest units. */
const twoLargestUnits = (ms: number): string => {
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

/** The records that findings show, as far as the log has them; a log that cannot be read shows none. */
const shownRecords = async (
  api: LogApi,
  sequences: readonly number[],
): Promise<readonly (StoredMessage | undefined)[]> => {
  const found = await recordsAt(api, sequences.slice(0, LISTED_FINDINGS))();
  return isLeft(found) ? [] : found.right;
};

/** Of commands without a result: those of agents whose handler waits. They have their turn when it has ended. */
export const behindSleepers = async (
  api: LogApi,
  late: readonly number[],
  asleep: ReadonlySet<string>,
): Promise<ReadonlySet<number>> => {
  const behind = new Set<number>();
  for (let from = 0; asleep.size > 0 && from < late.length; from += LISTED_FINDINGS) {
    const some = late.slice(from, from + LISTED_FINDINGS);
    for (const record of await shownRecords(api, some)) {
      const subject = record === undefined ? undefined : splitSubject(record.subject);
      if (record === undefined || subject?.kind !== 'cmd') continue;
      if (asleep.has(laneText(subject.module, subject.agent ?? ''))) behind.add(record.seq);
    }
  }
  return behind;
};

/** Adds the commands that are old and have no result, each with whose it is and for how long it has waited. */
export const addUnanswered = async (
  api: LogApi,
  findings: Findings,
  late: readonly number[],
  nowMs: number,
): Promise<void> => {
  const records = await shownRecords(api, late);
  for (const [index, seq] of late.entries()) {
    const record = records[index];
    const subject = record === undefined ? undefined : splitSubject(record.subject);
    if (record === undefined || subject?.kind !== 'cmd') {
      findings.add('unanswered', seq, '', `command ${seq} has no result`);
      continue;
    }
    const { module, name, agent, sender } = subject;
    const what = agent === undefined ? `${module}.${name}` : `${module}.${name} of ${agent}`;
    const detail = `${what}, sent by ${sender}, has waited for its result for ${twoLargestUnits(nowMs - record.timeMs)}`;
    findings.add('unanswered', seq, module, detail);
  }
};

/** Adds the copies that are not there, each with whose outcome promises it. */
export const addMissingCopies = async (
  api: LogApi,
  findings: Findings,
  missing: readonly Missing[],
): Promise<void> => {
  const results = missing.map(({ decision }) => decision);
  const records = await shownRecords(api, results);
  for (const [index, { cause, decision, part, parts }] of missing.entries()) {
    const record = records[index];
    const subject = record === undefined ? undefined : splitSubject(record.subject);
    const module = subject?.kind === 'res' ? subject.module : '';
    const promised = record === undefined ? undefined : promisedCopies(record.data)[part - 1];
    const what = promised === undefined ? '' : `, ${quoted(promised.subject)},`;
    const detail = `copy ${part} of ${parts} of what ${decision} decided for command ${cause}${what} is not there`;
    findings.add('missing', decision, module, detail);
  }
};

/** The subject of a copy, as its decision has it. */
const decidedSubject = (text: string): string => {
  const subject = splitSubject(text);
  return subject?.kind === 'cmd' ? text.slice(0, -(subject.sender.length + 1)) : text;
};

/**
 * Whether a copy says what was decided: the same JSON, whatever blanks stand in it and however its numbers are
 * written.
 */
const saysTheSame = (copy: StoredMessage, decision: StoredMessage, part: number): boolean => {
  const promised = promisedCopies(decision.data)[part - 1];
  return (
    promised !== undefined &&
    promised.subject === decidedSubject(copy.subject) &&
    isSamePayload(promised.data, copy.data)
  );
};

/** What stands in a copy, and what was decided. */
const differenceOf = (
  copy: StoredMessage | undefined,
  decision: StoredMessage | undefined,
  part: number,
): string => {
  const promised = decision === undefined ? undefined : promisedCopies(decision.data)[part - 1];
  if (copy === undefined || promised === undefined) return '';
  const subject = decidedSubject(copy.subject);
  return subject === promised.subject
    ? `: it is ${quotedBytes(copy.data)}, decided was ${quotedBytes(promised.data)}`
    : `: it is on ${quoted(subject)}, decided was ${quoted(promised.subject)}`;
};

/** Adds the results that name a command of another module, action or agent as their cause. */
export const addAstray = async (
  api: LogApi,
  findings: Findings,
  astray: readonly Astray[],
): Promise<void> => {
  const causes = astray.map(({ cause }) => cause);
  const records = await shownRecords(api, causes);
  for (const [index, { seq, cause, subject, module }] of astray.entries()) {
    const record = records[index];
    const what = record === undefined ? '' : `, ${quoted(record.subject)}`;
    const detail = `${subject} answers ${cause}${what}, which is of another module, action or agent`;
    findings.add('unattributed', seq, module, detail);
  }
};

/** Copies that are compared at a time. */
const COMPARED = 1_000;

/**
 * Adds the copies that say something else than was decided. Copies are the bytes of their decision; those that older
 * versions stored after a crash were parsed and written again, which is no difference where nothing was lost.
 */
export const addAltered = async (
  api: LogApi,
  findings: Findings,
  differing: readonly Differing[],
): Promise<void> => {
  for (let from = 0; from < differing.length; from += COMPARED) {
    const some = differing.slice(from, from + COMPARED);
    const found = await recordsAt(
      api,
      some.flatMap(({ seq, decision }) => [seq, decision]),
    )();
    for (const [index, { seq, cause, decision, part }] of some.entries()) {
      const [copy, result] = isLeft(found) ? [] : found.right.slice(index * 2, index * 2 + 2);
      if (copy !== undefined && result !== undefined && saysTheSame(copy, result, part)) continue;
      const subject = result === undefined ? undefined : splitSubject(result.subject);
      const module = subject?.kind === 'res' ? subject.module : '';
      const what = copy?.subject ?? `record ${seq}`;
      const detail = `${what}, copy ${part} of what ${cause} caused, is not what ${decision} decided${differenceOf(copy, result, part)}`;
      findings.add('altered', seq, module, detail);
    }
  }
};
