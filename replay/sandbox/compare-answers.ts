import type { Payload } from '../../schemas/payload.js';
import type { Ok } from '../../schemas/result.js';
import type { ResultRecord, CommandNode } from './command-tree.js';
import { parseInstant } from '../../schemas/instant.js';

/** The comparison of a command's result with the recorded one. */
export type Verdict =
  /** Answered as it had been. */
  | 'same'
  | 'different'
  /** It had an answer, and has none now. */
  | 'unanswered'
  /** It has an answer, and had none where the recording ends. */
  | 'answered'
  /** A command that was sent now and had not been. */
  | 'new'
  /** A command that had been sent and was not now. */
  | 'missing';

export interface Compared {
  readonly verdict: Verdict;
  /** Its sequence in the log that was recorded. */
  readonly recordedSeq: number | null;
  /** Its sequence in the sandbox. */
  readonly seq: number | null;
  readonly subject: string;
  /** The answers; null where there is none. */
  readonly recorded: Payload | null;
  readonly now: Payload | null;
}

/** A time that is so near to the one of its result is the time at which the handler ran. */
const NEAR_MS = 60_000;

const isNow = (text: string, at: number): boolean =>
  Math.abs((parseInstant(text) ?? Number.NaN) - at) <= NEAR_MS;

interface Sides {
  readonly recordedMs: number;
  readonly nowMs: number;
  /** Sequences in the sandbox by those that were recorded. */
  readonly sequences: ReadonlyMap<number, number>;
}

/** Equal, but for what must differ: a sequence is that of the same record, and the time of handling is now. */
const isEqual = (was: unknown, is: unknown, sides: Sides): boolean => {
  if (Object.is(was, is)) return true;
  if (typeof was === 'number' && typeof is === 'number') return sides.sequences.get(was) === is;
  if (typeof was === 'string' && typeof is === 'string')
    return isNow(was, sides.recordedMs) && isNow(is, sides.nowMs);
  if (typeof was !== 'object' || typeof is !== 'object' || was === null || is === null) return false;
  if (Array.isArray(was) !== Array.isArray(is)) return false;
  const [a, b] = [Object.entries(was), Object.keys(is)];
  return (
    a.length === b.length &&
    a.every(
      ([key, value]) => Object.hasOwn(is, key) && isEqual(value, (is as Record<string, unknown>)[key], sides),
    )
  );
};

/** Without the ids of what it carries: those are sequences. */
const withoutIds = (body: unknown): unknown => {
  const out: unknown = (body as Partial<Ok> | null)?.out;
  if (!Array.isArray(out)) return body;
  return { ...(body as object), out: out.map((each: unknown) => ({ ...(each as object), id: undefined })) };
};

const verdictOf = (
  was: ResultRecord | undefined,
  is: ResultRecord | undefined,
  sequences: ReadonlyMap<number, number>,
): Verdict => {
  if (is === undefined) return was === undefined ? 'same' : 'unanswered';
  if (was === undefined) return 'answered';
  const sides = { recordedMs: was.timeMs, nowMs: is.timeMs, sequences };
  return isEqual(withoutIds(was.payload.value), withoutIds(is.payload.value), sides) ? 'same' : 'different';
};

const compared = (verdict: Verdict, was: CommandNode | undefined, is: CommandNode | undefined): Compared => ({
  verdict,
  recordedSeq: was?.message.seq ?? null,
  seq: is?.message.seq ?? null,
  subject: (was ?? is)?.message.subject ?? '',
  recorded: was?.answer?.payload ?? null,
  now: is?.answer?.payload ?? null,
});

/** A command on both sides, or on one of them. */
interface Pair {
  readonly was?: CommandNode;
  readonly is?: CommandNode;
}

/** What followed from a command on either side, in the order of what was recorded. */
const pairsBelow = (was: CommandNode, is: CommandNode): readonly Pair[] => [
  ...[...was.children].map(([key, child]): Pair => {
    const now = is.children.get(key);
    return now === undefined ? { was: child } : { was: child, is: now };
  }),
  ...[...is.children].flatMap(([key, child]): readonly Pair[] =>
    was.children.has(key) ? [] : [{ is: child }],
  ),
];

/**
 * A command and all that followed from it, as it was and as it is now. `sequences` gets the sandbox's sequence of
 * each that is there on both sides, so that data which names one can be compared. Conversations can be deeper than
 * any stack.
 */
export const compareCommands = (
  was: CommandNode,
  is: CommandNode,
  sequences: Map<number, number>,
): readonly Compared[] => {
  const pairs: Pair[] = [];
  const waiting: Pair[] = [{ was, is }];
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    pairs.push(pair);
    if (pair.was === undefined || pair.is === undefined) continue;
    sequences.set(pair.was.message.seq, pair.is.message.seq);
    const [before, now] = [pair.was.answer, pair.is.answer];
    if (before !== undefined && now !== undefined) sequences.set(before.seq, now.seq);
    waiting.push(...pairsBelow(pair.was, pair.is).toReversed());
  }
  return pairs.map((pair) => {
    if (pair.is === undefined) return compared('missing', pair.was, undefined);
    if (pair.was === undefined) return compared('new', undefined, pair.is);
    return compared(verdictOf(pair.was.answer, pair.is.answer, sequences), pair.was, pair.is);
  });
};
