import type { NatsConnection } from 'nats';
import type { StoredMessage } from '../../schemas/record.js';
import { type ReadOptions, readLogBatches } from './reader.js';

type Batches = AsyncGenerator<readonly StoredMessage[], void, void>;

/** One reader, and what of its last batch has not been passed on. */
interface Source {
  readonly batches: Batches;
  batch: readonly StoredMessage[];
  at: number;
}

/** Gets the next batch of a source that has passed on its last; false when it has no more. */
const refill = async (source: Source): Promise<boolean> => {
  if (source.at < source.batch.length) return true;
  const next = await source.batches.next();
  if (next.done === true) return false;
  source.batch = next.value;
  source.at = 0;
  return true;
};

/** Passes on in order what is there, until one of the sources may have a lower sequence that is still to come. */
const merge = (sources: readonly Source[]): readonly StoredMessage[] => {
  const merged: StoredMessage[] = [];
  for (;;) {
    let lowest: Source | undefined;
    let message: StoredMessage | undefined;
    for (const source of sources) {
      const head = source.batch[source.at];
      if (head === undefined) return merged;
      if (message !== undefined && message.seq < head.seq) continue;
      lowest = source;
      message = head;
    }
    if (lowest === undefined || message === undefined) return merged;
    lowest.at += 1;
    merged.push(message);
  }
};

/**
 * As `readLogBatches`, by a reader for each filter. To find the next record for a consumer with several filters,
 * nats-server 2.15.1 goes through all subjects of a block: with 4,000 of them 35 times slower than with one filter
 * each.
 */
export async function* readMerged(
  nc: NatsConnection,
  filters: readonly string[],
  options: Omit<ReadOptions, 'filters' | 'agent' | 'follow'>,
): Batches {
  const pulls = filters.length > 1 ? 1 : 2;
  let sources = filters.map(
    (filter): Source => ({
      batches: readLogBatches(nc, { pulls, ...options, filters: [filter] }),
      batch: [],
      at: 0,
    }),
  );
  try {
    while (sources.length > 0) {
      const hasMore = await Promise.all(sources.map(refill));
      sources = sources.filter((_, i) => hasMore[i]);
      const merged = merge(sources);
      if (merged.length > 0) yield merged;
    }
  } finally {
    await Promise.all(sources.map(({ batches }) => batches.return()));
  }
}
