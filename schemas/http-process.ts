import type { Grant } from './grants.js';
import type { Listen } from './listen.js';

/** What the process that serves HTTP is started with: JSON, its only argument. */
export interface HttpAssignment {
  readonly natsUrl: string;
  /** The files of TLS for connections of other machines; absent: there are none. */
  readonly tls?: Pick<Listen, 'cert' | 'key' | 'ca'>;
}

/** A message of the broker to it. The handle comes with the message. */
export interface HttpHandle {
  /** A listener, or a connection that the broker took before the process had the listener. */
  readonly kind: 'listener' | 'connection';
  /** Its connections begin TLS. */
  readonly isSecure: boolean;
}

/** What a principal may read of one module without asking the broker again. */
export interface ReadRights {
  /** Its grants of `read` and `operate`. */
  readonly grants: readonly Grant[];
  /** When its token ends, milliseconds since 1970; null: never. */
  readonly untilMs: number | null;
  /** What the module marks in its states, as a reply has it: JSON; `''`: nothing. */
  readonly sensitive: string;
  readonly dataDir: string;
  /** The most bytes of a reply. */
  readonly maxBytes: number;
}

/** The process asks what a principal may read of a module. `publicKey`: of its token; null: a guest. */
export interface RightsQuestion {
  readonly kind: 'rights';
  readonly id: number;
  readonly publicKey: string | null;
  readonly module: string;
}

/** The broker replies; null: the broker must be asked for each state. Messages arrive in the order they were sent. */
export type RightsNews =
  | { readonly kind: 'rights'; readonly id: number; readonly rights: ReadRights | null }
  /** Rights or modules have changed: nothing that was said before holds. */
  | { readonly kind: 'forget' };
