import type { Listen } from '../../schemas/listen.js';

/** What the thread that takes connections with TLS is given. */
export interface FrontThreadData {
  readonly listen: Listen;
  /** The port of the server on loopback. */
  readonly serverPort: number;
}

/** What the thread tells. */
export type FromFront =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly text: string }
  | { readonly kind: 'said'; readonly text: string };
