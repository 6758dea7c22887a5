import type { Fault } from '../../schemas/errors.js';
import { LOSS_CODES, type LossCode } from '../../schemas/operate.js';
import { type Gap, inWords, sizeOf } from './gaps.js';
import type { Mark } from './marks.js';
import type { Memory } from './witness-file.js';

/** The stream as it was found. */
export interface FoundLog {
  readonly logId: string;
  readonly lastSeq: number;
}

/** How the log differs from what was seen of it (I9). */
export interface LogLoss {
  readonly code: LossCode;
  readonly message: string;
  /** The highest sequence that was seen. */
  readonly seenSeq: number;
  /** Where the log ends now. */
  readonly lastSeq: number;
  /** Up to here, at least, it is the log that was seen. */
  readonly agreesTo: number;
  /** What is missing between the first record and the last, where that is what was found. */
  readonly gaps?: readonly Gap[];
}

/** A log that ends where it did, and begins where it did, and has not all that is between. */
export const lossOfGaps = (gaps: readonly Gap[], marks: readonly Mark[], lastSeq: number): LogLoss => {
  const first = gaps[0]?.[0] ?? 1;
  const agreesTo = marks.findLast(({ seq }) => seq < first)?.seq ?? 0;
  const count = sizeOf(gaps);
  const message =
    `of the log, which ends at ${lastSeq}, ${records(count)} not there or cannot be read: ${inWords(gaps)}; ` +
    `up to ${agreesTo} it is the log that was seen`;
  return { code: 'LOG_DIFFERS', message, seenSeq: lastSeq, lastSeq, agreesTo, gaps };
};

/** Whether a broker that failed with this found that its log lost records. */
export const isLoss = ({ code }: Fault): boolean => (LOSS_CODES as readonly string[]).includes(code);

const records = (n: number): string => (n === 1 ? '1 record is' : `${n} records are`);

/**
 * Compares the log with what the broker had seen of it. `digestAt` gives what stands at a sequence now; `reached`:
 * where else it is known that the log had come to, of which no mark was made yet.
 */
export const findLoss = async (
  { logId, marks, reached: before = 0 }: Memory,
  found: FoundLog | undefined,
  digestAt: (seq: number) => Promise<string | undefined>,
  reached = 0,
): Promise<LogLoss | undefined> => {
  const seenSeq = Math.max(marks.at(-1)?.seq ?? 0, before, reached);
  // A broker that was killed before it saw anything knows of nothing that could be lost.
  if (seenSeq === 0) return undefined;
  const lastSeq = found?.lastSeq ?? 0;
  if (found === undefined || found.logId !== logId) {
    const now = found === undefined ? 'there is none now' : `the one that is there was made ${found.logId}`;
    const message = `the log that was seen up to ${seenSeq}, made ${logId}, is gone: ${now}`;
    return { code: 'LOG_REPLACED', message, seenSeq, lastSeq, agreesTo: 0 };
  }
  const differing = await firstDifference(
    marks.filter(({ seq }) => seq <= lastSeq),
    digestAt,
  );
  const agreesTo = marks.findLast(({ seq }) => seq < (differing?.seq ?? lastSeq + 1))?.seq ?? 0;
  const agrees = `up to ${agreesTo} it is the log that was seen`;
  if (differing !== undefined) {
    const what = differing.isThere ? 'another one than was seen there' : 'not there any more';
    const message = `the record at ${differing.seq} is ${what}; the log was seen up to ${seenSeq} and ends at ${lastSeq}; ${agrees}`;
    return { code: 'LOG_DIFFERS', message, seenSeq, lastSeq, agreesTo };
  }
  if (lastSeq >= seenSeq) return undefined;
  const message = `the log ends at ${lastSeq} and was seen up to ${seenSeq}: ${records(seenSeq - lastSeq)} gone; ${agrees}`;
  return { code: 'LOG_SHORTENED', message, seenSeq, lastSeq, agreesTo };
};

/** Asked in groups: records can be large, and each is read as a whole. */
const GROUP = 8;

const firstDifference = async (
  marks: readonly Mark[],
  digestAt: (seq: number) => Promise<string | undefined>,
): Promise<{ readonly seq: number; readonly isThere: boolean } | undefined> => {
  for (let at = 0; at < marks.length; at += GROUP) {
    const group = marks.slice(at, at + GROUP);
    const digests = await Promise.all(group.map(({ seq }) => digestAt(seq)));
    const i = group.findIndex(({ digest }, j) => digests[j] !== digest);
    const differing = group[i];
    if (differing !== undefined) return { seq: differing.seq, isThere: digests[i] !== undefined };
  }
  return undefined;
};
