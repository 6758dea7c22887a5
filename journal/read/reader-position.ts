import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import { type ApiFailure, type LogApi, logEnds, nextMatch } from './reader-api.js';
import { type AgentSelection, subjectFilters } from './subject-filters.js';

/** What is to be read, with the end worked out. */
export interface ReadPlan {
  readonly filters: readonly string[];
  readonly fromSeq: number;
  readonly fromTime: Date | undefined;
  /** Sequence after which nothing is yielded; undefined: none. */
  readonly untilSeq: number | undefined;
  /** Whether the records up to `untilSeq` may still be to come. */
  readonly follow: boolean;
  readonly headersOnly: boolean;
}

/** What to read of the log, and how far. */
export interface ReadRange {
  /** Subjects to read; they must not overlap. None: every record. */
  readonly filters?: readonly string[];
  /** One agent's records, in the place of `filters`. */
  readonly agent?: AgentSelection;
  /** First sequence; default 1. With `fromTime` the later of the two. */
  readonly fromSeq?: number;
  readonly fromTime?: Date;
  /** Last sequence. One beyond the end of the log means the end, unless `follow` waits for it. */
  readonly toSeq?: number;
  /** Continue with records that are stored later, until the reader is stopped or `toSeq`. */
  readonly follow?: boolean;
  /** Leave the payloads behind; `data` is empty then. */
  readonly headersOnly?: boolean;
}

/** Fixes where reading ends: at what is in the log now, or earlier, or, when following, at `toSeq` or never. */
export const planRead = (range: ReadRange, lastSeq: number): ReadPlan => {
  const filters = (range.agent === undefined ? range.filters : subjectFilters(range.agent)) ?? [];
  // No filter would read everything; an agent of a module without actions and events has nothing.
  const nothing = range.agent !== undefined && filters.length === 0;
  const follow = range.follow === true && !nothing;
  return {
    filters,
    fromSeq: Math.max(1, range.fromSeq ?? 1),
    fromTime: range.fromTime,
    untilSeq: nothing ? 0 : follow ? range.toSeq : Math.min(lastSeq, range.toSeq ?? lastSeq),
    follow,
    headersOnly: range.headersOnly === true,
  };
};

/** Consumer configuration for what comes after sequence `after` (0: nothing was read yet). */
export const consumerConfig = (plan: ReadPlan, after: number): object => {
  const byTime = after === 0 && plan.fromTime !== undefined;
  const from = Math.max(plan.fromSeq, after + 1);
  const start = byTime
    ? { deliver_policy: 'by_start_time', opt_start_time: plan.fromTime?.toISOString() }
    : from > 1
      ? { deliver_policy: 'by_start_sequence', opt_start_seq: from }
      : { deliver_policy: 'all' };
  const { filters } = plan;
  const filter =
    filters.length === 0
      ? {}
      : filters.length === 1
        ? { filter_subject: filters[0] }
        : { filter_subjects: filters };
  return {
    ...start,
    ...filter,
    ack_policy: 'none',
    max_deliver: 1,
    mem_storage: true,
    num_replicas: 1,
    replay_policy: 'instant',
    // A reader that pauses for longer finds its consumer gone and makes a new one behind its last record.
    inactive_threshold: 60 * 1e9,
    ...(plan.headersOnly ? { headers_only: true } : {}),
  };
};

/**
 * Whether no record up to the plan's end is left behind `after`: `done`; `waiting` while the log has not come that
 * far; `more` when one is there that was not delivered.
 */
export const whatIsLeft = async (
  api: LogApi,
  plan: ReadPlan,
  after: number,
): Promise<Either<ApiFailure, 'done' | 'waiting' | 'more'>> => {
  const { untilSeq } = plan;
  if (untilSeq === undefined) return right('waiting');
  if (after >= untilSeq) return right('done');
  if (plan.follow) {
    const ends = await logEnds(api);
    if (isLeft(ends)) return ends;
    if (ends.right.lastSeq < untilSeq) return right('waiting');
  }
  const next = await nextMatch(api, plan.filters, after + 1);
  if (isLeft(next)) return next;
  return right(next.right !== undefined && next.right <= untilSeq ? 'more' : 'done');
};
