import type { NatsConnection } from 'nats';
import type { StoredMessage } from '../../schemas/record.js';
import { type ReadOptions, readLogBatches } from './reader.js';

type Batches = AsyncGenerator<readonly StoredMessage[], void, void>;

/** Records of one filter, from a sequence on. */
export interface FilterRange {
  readonly filter: string;
  /** Default: where the whole begins. */
  readonly fromSeq?: number;
  /** Default: where the whole ends. */
  readonly toSeq?: number;
}

/** One reader, and what of its last batch has not been passed on. */
interface Source {
  readonly batches: Batches;
  batch: readonly StoredMessage[];
  at: number;
  /** It has nothing before this. */
  from: number;
  isOpen: boolean;
}

const headOf = ({ batch, at }: Source): StoredMessage | undefined => batch[at];

/** Gets the next batch of a source that has passed on its last; false when it has no more. */
const refill = async (source: Source): Promise<boolean> => {
  if (headOf(source) !== undefined) return true;
  source.isOpen = true;
  const next = await source.batches.next();
  if (next.done === true) return false;
  source.batch = next.value;
  source.at = 0;
  return true;
};

/** Fills the sources that may have what comes next; those that have no more are left out. */
const refillAll = async (sources: readonly Source[]): Promise<Source[]> => {
  const heads = sources.flatMap((source) => headOf(source)?.seq ?? []);
  const due = Math.min(...(heads.length > 0 ? heads : sources.map(({ from }) => from)));
  const hasMore = await Promise.all(
    sources.map((source) => (source.isOpen || source.from <= due ? refill(source) : true)),
  );
  return sources.filter((_, i) => hasMore[i]);
};

/** Passes on in order what is there, until one of the sources may have a lower sequence that is still to come. */
const merge = (sources: readonly Source[]): readonly StoredMessage[] => {
  const merged: StoredMessage[] = [];
  for (;;) {
    let lowest: Source | undefined;
    let seq = Number.POSITIVE_INFINITY;
    for (const source of sources) {
      const head = headOf(source);
      const itsSeq = head?.seq ?? source.from;
      if (itsSeq >= seq) continue;
      lowest = head === undefined ? undefined : source;
      seq = itsSeq;
    }
    const message = lowest === undefined ? undefined : headOf(lowest);
    if (lowest === undefined || message === undefined) return merged;
    lowest.at += 1;
    lowest.from = seq + 1;
    merged.push(message);
  }
};

/**
 * As `readLogBatches`, by a reader for each part, which is opened when the others have come to where it begins. To
 * find the next record for a consumer with several filters, nats-server 2.15.1 goes through all subjects of a block:
 * with 4,000 of them 35 times slower than with one filter each.
 */
export async function* readMerged(
  nc: NatsConnection,
  parts: readonly FilterRange[],
  options: Omit<ReadOptions, 'filters' | 'agent' | 'follow'> = {},
): Batches {
  const pulls = parts.length > 1 ? 1 : 2;
  let sources = parts.map(({ filter, ...range }): Source => {
    const read = { pulls, ...options, ...range, filters: [filter] } as const;
    return { batches: readLogBatches(nc, read), batch: [], at: 0, from: read.fromSeq ?? 1, isOpen: false };
  });
  try {
    while (sources.length > 0) {
      sources = await refillAll(sources);
      const merged = merge(sources);
      if (merged.length > 0) yield merged;
    }
  } finally {
    await Promise.all(sources.map(({ batches }) => batches.return()));
  }
}
