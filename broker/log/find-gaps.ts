import type { NatsConnection } from 'nats';
import { readLogBatches } from '../../journal/read/reader.js';
import type { Gap } from './gaps.js';

/**
 * Reads a range of the log, headers only, for what is not in it. nats-server 2.15.1 cuts a block file off where it
 * finds it damaged while it recovers, and silently leaves a record out that it finds damaged when it should be
 * delivered; what is behind has its sequence all the same. Throws what reading throws.
 */
export const findGaps = async (
  nc: NatsConnection,
  fromSeq: number,
  toSeq: number,
): Promise<readonly Gap[]> => {
  if (toSeq < fromSeq) return [];
  const gaps: Gap[] = [];
  let next = fromSeq;
  for await (const batch of readLogBatches(nc, { fromSeq, toSeq, headersOnly: true })) {
    for (const { seq } of batch) {
      if (seq > next) gaps.push([next, seq - 1]);
      next = seq + 1;
    }
  }
  if (next <= toSeq) gaps.push([next, toSeq]);
  return gaps;
};
