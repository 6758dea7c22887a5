import type { StateChange } from './population.js';
import type { AsyncGet, SyncGet } from './timing.js';

/** What `lookup` is compared with. */
export const LOOKUP_PEERS = ['nats', 'redis', 'sqlite'] as const;
export type LookupPeer = (typeof LOOKUP_PEERS)[number];

/** Who holds states, in the order of the tables: what is measured, and its peers. */
export const STORES = ['snapshots', ...LOOKUP_PEERS] as const;
export type StoreName = (typeof STORES)[number];

/** Where one store is to be found by any process. */
export type StoreLocation =
  | { readonly store: 'snapshots'; readonly dataDir: string }
  | { readonly store: 'nats'; readonly url: string }
  | { readonly store: 'redis'; readonly port: number }
  | { readonly store: 'sqlite'; readonly file: string; readonly folder: string };

/** The process that writes states has one of these. */
export interface StateWriter {
  readonly put: (changes: readonly StateChange[]) => Promise<void> | void;
  /** Where a group is not visible to readers when `put` is done: waits until all of them are. */
  readonly settle?: () => Promise<void>;
  readonly close: () => Promise<void> | void;
}

/** The process that looks states up has one of these. */
export interface StateReader {
  readonly get: { readonly sync: SyncGet } | { readonly async: AsyncGet };
  readonly close: () => Promise<void> | void;
}
