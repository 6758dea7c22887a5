/** One end of a way between two processes. Messages come out whole and in order. */
export interface Channel {
  /** Resolves when the next message may be sent; undefined: at once. Keep the bytes as they are until they arrive. */
  readonly send: (message: Uint8Array) => Promise<void> | undefined;
  /** One handler. It must not keep the bytes. */
  readonly onMessage: (handle: (message: Uint8Array) => void) => void;
  readonly close: () => Promise<void> | void;
}

/** The first byte of a message tells the receiver what to do with it. */
export const WANT = { nothing: 0, echo: 1, sign: 2 } as const;

/** How the sender reaches the receiver, for both of them. */
export type ChannelWay =
  | { readonly via: 'pipe' }
  | { readonly via: 'unix socket'; readonly path: string }
  | {
      readonly via: 'shared memory';
      readonly path: string;
      /** Where npm installed `koffi`. */
      readonly koffi: string;
    }
  | { readonly via: 'core NATS'; readonly url: string }
  | {
      readonly via: 'journal';
      readonly url: string;
      readonly durability: 'os' | 'fsync';
    };

/** What the receiver writes on stdout once it can receive. */
export const READY = 'ready\n';
