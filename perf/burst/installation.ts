import type { NatsConnection } from 'nats';

/** A broker that a burst test is run on. */
export interface Installation extends AsyncDisposable {
  readonly url: string;
  readonly durability: string;
  /** Made for this run, with nothing in its log but what this run brings. */
  readonly isOwn: boolean;
  /** Where its snapshots are, where that is on this machine. */
  readonly dataDir: string | undefined;
  /** How producers of commands connect. */
  readonly caller: { readonly seed?: string; readonly sender: string };
  /** The key of a program that it trusts with events; undefined: there is none. */
  readonly trustedSeed: string | undefined;
  /** A connection as operator, which outlives kills; the installation's to close. */
  readonly operator: NatsConnection;
  /**
   * Kills the broker with -9, and starts it again; resolves when it is ready. Undefined: it is not this test's to
   * start.
   */
  readonly restart: (() => Promise<void>) | undefined;
}
