import type { Durability } from '../../schemas/log.js';

/**
 * How records travel to the log. A lone record is published by itself at once; what gathers while the server is busy
 * goes as one atomic batch where that is cheaper than one by one. There is no timer: a single record never waits.
 */
export interface Grouping {
  /** Single records that may be on their way. */
  readonly window: number;
  /** So many waiting records go as one atomic batch; Infinity: always one by one. */
  readonly groupFrom: number;
}

/**
 * By what a record costs the server. Under `fsync` each single record is a separate sync, a batch is one sync for all;
 * where the two meet was measured. Under `os` a batch of hundreds does no better than as many single records on their
 * way at once, and single ones are answered each with its sequence. See docs/decisions/0016.
 */
export const GROUPING = {
  fsync: { window: 8, groupFrom: 8 },
  os: { window: 4_000, groupFrom: Number.POSITIVE_INFINITY },
} satisfies Record<Durability, Grouping>;

/** The server takes no more in one batch. Source: nats-server, streamMaxAtomicBatchSize. */
export const MAX_GROUP = 1_000;

/**
 * Bytes of one batch: the server stages it on disk and holds it in memory while it commits it, and a batch that crosses
 * the block files of the stream (8 MB) can come back in pieces from a loss of power.
 */
export const MAX_GROUP_BYTES = 4 * 1024 * 1024;

/** Bytes on their way: the server drops what comes when 128 MB of one stream, of all producers, wait for it. */
export const MAX_IN_FLIGHT_BYTES = 16 * 1024 * 1024;
