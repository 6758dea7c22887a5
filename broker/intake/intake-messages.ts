/** What the thread that reads people's requests is given, and what it and the broker say to each other. */

export interface ThreadOptions {
  readonly url: string;
  readonly seed: string;
}

export interface ThreadData extends ThreadOptions {
  /** Of a `BatchCredit`. */
  readonly credit: SharedArrayBuffer;
}

export type ToThread =
  | { readonly kind: 'subscribe'; readonly id: number; readonly subject: string }
  | { readonly kind: 'unsubscribe'; readonly id: number }
  /** Asks for `flushed`. */
  | { readonly kind: 'flush' }
  /** The modules that are known. */
  | { readonly kind: 'modules'; readonly names: readonly string[] }
  /** Nothing of this connection is wanted: the server is closing it. */
  | { readonly kind: 'shut'; readonly connection: string }
  /** The server did not close this connection. */
  | { readonly kind: 'open'; readonly connection: string }
  /** The broker no longer holds these requests. It has gone through a batch that the thread waits for, or will soon. */
  | { readonly kind: 'released'; readonly held: readonly HeldRequests[] };

/** Requests of one connection, and their bytes. */
export interface HeldRequests {
  readonly connection: string;
  readonly requests: number;
  readonly bytes: number;
}

/** One request. Its bytes are its own, or behind those of the request before it in {@link Batch.bytes}. */
export interface Arrival {
  /** Of the subscription. */
  readonly id: number;
  readonly subject: string;
  readonly reply: string;
  readonly connection: string;
  readonly headerBytes: number;
  /** Headers and payload. */
  readonly size: number;
  /** What it counts until it is released. */
  readonly weight: number;
  /** The broker had no room for its payload, so it can only be refused. */
  readonly isLeftOut: boolean;
  readonly own?: ArrayBuffer;
}

export interface Batch {
  readonly kind: 'batch';
  readonly arrivals: readonly Arrival[];
  readonly bytes: ArrayBuffer;
}

export type FromThread =
  | Batch
  | { readonly kind: 'opened' | 'flushed' | 'lost' }
  /** It sends on whatever it is answered: the server is to close it. Nothing of it comes from here on. */
  | { readonly kind: 'floods'; readonly connection: string; readonly why: string }
  | { readonly kind: 'failed'; readonly text: string };
