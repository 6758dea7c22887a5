import { MAX_PAYLOAD_BYTES } from '../../schemas/log.js';

/** What the server has had from an account since its start. */
export interface AccountTraffic {
  readonly msgs: number;
  readonly bytes: number;
}

/** What of it the broker and the log have seen. */
export type SeenTraffic = AccountTraffic;

/**
 * What a module may send that nobody sees. Its host sends few such messages: pulls, and an acknowledgement for many
 * commands. A module in another language may pull and acknowledge each command, and stores a result for each.
 */
export const MOST_UNSEEN = {
  /** Messages and bytes for each one that is seen. */
  perSeen: 3,
  /** In a second, whatever is seen. */
  msgs: 2_000,
  bytes: 8 * 1024 * 1024,
  /** So many times that much at once: the broker reads the log a little later than the server writes it. */
  seconds: 2,
} as const;

/** What is known of a module since the last look. */
export interface TrafficBalance {
  readonly at: number;
  readonly received: AccountTraffic;
  readonly seen: SeenTraffic;
  /** Above what is allowed, so far. */
  readonly above: AccountTraffic;
}

const NONE: AccountTraffic = { msgs: 0, bytes: 0 };

/** The balance of a module after one more look. The first look only begins to count. */
export const nextBalance = (
  before: TrafficBalance | undefined,
  received: AccountTraffic,
  seen: SeenTraffic,
  now: number,
): TrafficBalance => {
  // A server that was started again counts from the beginning.
  if (before === undefined || received.msgs < before.received.msgs)
    return { at: now, received, seen, above: NONE };
  const seconds = (now - before.at) / 1_000;
  const above = (name: keyof AccountTraffic): number => {
    const unseen =
      received[name] - before.received[name] - MOST_UNSEEN.perSeen * (seen[name] - before.seen[name]);
    return Math.max(0, before.above[name] + unseen - MOST_UNSEEN[name] * seconds);
  };
  return { at: now, received, seen, above: { msgs: above('msgs'), bytes: above('bytes') } };
};

/**
 * What a module has sent too much of, in words; undefined: nothing. `unread`: records of the log that may be its own
 * and are not counted yet.
 */
export const unseenFlood = ({ above }: TrafficBalance, unread = 0): string | undefined => {
  const isMore = (name: keyof AccountTraffic, ofOne: number): boolean =>
    above[name] > MOST_UNSEEN[name] * MOST_UNSEEN.seconds + unread * ofOne;
  if (isMore('msgs', 1)) return `${MOST_UNSEEN.msgs} messages that no part of the broker reads`;
  return isMore('bytes', MAX_PAYLOAD_BYTES)
    ? `${MOST_UNSEEN.bytes} bytes that no part of the broker reads`
    : undefined;
};
