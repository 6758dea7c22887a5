/** What the process that serves HTTP is started with: JSON, its only argument. */
export interface HttpAssignment {
  readonly natsUrl: string;
}

/** A message of the broker to it; the handle comes with the message. */
export type HttpHandle =
  | { readonly kind: 'listener' }
  /** A connection that the broker took before the process had the listener. */
  | { readonly kind: 'connection' };
