import type { NatsConnection } from 'nats';
import { type ReadOptions, readLog } from '../../broker/journal/reader.js';
import { type Selection, subjectFilters } from '../../broker/journal/subject-filters.js';
import { type HistoryRecord, toHistory } from '../../schemas/record.js';

export interface HistoryQuery extends Selection {
  /** Sequence of the first record of a conversation. */
  readonly conversation?: number | undefined;
  /** First sequence, or time of the first record. */
  readonly from?: number | Date | undefined;
  /** Last sequence, or time of the last record. */
  readonly to?: number | Date | undefined;
  /** How many records at most. */
  readonly limit?: number | undefined;
  /** Go on with what is stored later. */
  readonly follow?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly patienceMs?: number | undefined;
}

const fits = (record: HistoryRecord, { module, agent, sender, kind, conversation }: HistoryQuery): boolean =>
  (module === undefined || record.module === module) &&
  (agent === undefined || record.agent === agent) &&
  (sender === undefined || record.sender === sender) &&
  (kind === undefined || record.kind === kind) &&
  (conversation === undefined || record.conversation === conversation);

const readOptions = (query: HistoryQuery, filters: readonly string[] | undefined): ReadOptions => {
  const { conversation, from, to, follow, signal, patienceMs } = query;
  // Nothing of a conversation is before its first record, whose sequence is its name.
  const fromSeq = Math.max(conversation ?? 1, typeof from === 'number' ? from : 1);
  return {
    fromSeq,
    // Whoever looks at history is an operator, in an account of their own.
    acrossAccounts: true,
    ...(filters === undefined ? {} : { filters }),
    ...(from instanceof Date ? { fromTime: from } : {}),
    ...(typeof to === 'number' ? { toSeq: to } : {}),
    ...(follow === undefined ? {} : { follow }),
    ...(signal === undefined ? {} : { signal }),
    ...(patienceMs === undefined ? {} : { patienceMs }),
  };
};

/**
 * The records of the log that fit the query, in order. Ends behind the last one that was there when reading began,
 * at `to` or at `limit`; with `follow`, at those or never. Throws NAME_INVALID, and as `readLog`
 * does.
 */
export async function* history(
  nc: NatsConnection,
  query: HistoryQuery = {},
): AsyncGenerator<HistoryRecord, void, void> {
  const filters = subjectFilters(query);
  const limit = query.limit ?? Number.POSITIVE_INFINITY;
  // No filter at all would read the whole log for what cannot be in it.
  if (limit <= 0 || filters?.length === 0) return;
  const lastTime = query.to instanceof Date ? query.to.getTime() : undefined;
  let found = 0;
  for await (const message of readLog(nc, readOptions(query, filters))) {
    if (lastTime !== undefined && Date.parse(message.time) > lastTime) return;
    const record = toHistory(message);
    if (!fits(record, query)) continue;
    yield record;
    found += 1;
    if (found >= limit) return;
  }
}
