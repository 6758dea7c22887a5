import { ALL_MODULES, type LimitsByAccount } from '../../schemas/account-limits.js';
import type { StartConfig } from '../../schemas/config.js';
import { MAX_JSON_DEPTH } from '../../schemas/json-depth.js';
import type { PrincipalLimits } from '../../schemas/principal-limits.js';
import {
  MAX_ACCOUNT_PRODUCERS,
  MAX_ACCOUNT_SCHEDULES,
  type LimitsInForce,
} from '../serving/limits-in-force.js';

/**
 * The limits of an account's connections. The server refuses more with an error: a connection with
 * "maximum account active connections exceeded", a subscription with "maximum subscriptions exceeded".
 */
export interface AccountLimits {
  /** Connections of the account at a time. */
  readonly maxConnections: number;
  /** Subscriptions of one connection at a time; the server needs about 1.5 KB for each. */
  readonly maxSubscriptions: number;
  /** Bytes of a message, where they are fewer than the server's own limit. */
  readonly maxPayload?: number;
}

const MIB = 1024 * 1024;

/**
 * What the server holds for a connection that does not read, bytes; it closes the connection that needs more. What
 * other connections send has no responders from three quarters of it on (`no_fast_producer_stall`). The server has
 * one number for all connections, also for the broker's, on which calls come faster for a moment than they are taken.
 * So this times the connections of guests is what slow readers can cost. Readers of the log ask for twice 3 MiB at a
 * time, modules for twice 2 MiB (PULL_BYTES in journal/read).
 */
export const MAX_PENDING_BYTES = 16 * MIB;

/** The default number of guests' connections at the same time: a GiB of the server, when none of them reads. */
export const DEFAULT_GUEST_CONNECTIONS = 64;

const MAX_SUBSCRIPTIONS = 1_000;

/**
 * The limits of an account that has no limits. A rate has none: turns are shared out among those who ask at the
 * same time, so a limit would only leave an idle broker idle. The others keep one account from filling what all share.
 */
export const ACCOUNT_LIMITS: LimitsInForce = {
  rate: Number.POSITIVE_INFINITY,
  bytes: Number.POSITIVE_INFINITY,
  inflight: 100_000,
  open: 200_000,
  log: 80,
  payload: MIB,
  depth: MAX_JSON_DEPTH,
  schedules: MAX_ACCOUNT_SCHEDULES,
  producers: MAX_ACCOUNT_PRODUCERS,
  connections: 32,
  subscriptions: MAX_SUBSCRIPTIONS,
};

/** The limits of an account with these limits. */
export const limitsInForce = (limits: PrincipalLimits | undefined): LimitsInForce =>
  limits === undefined ? ACCOUNT_LIMITS : { ...ACCOUNT_LIMITS, ...limits };

/** The operator frees the broker of what others filled, so the log has no share for it. */
const OPERATOR_IN_FORCE: LimitsInForce = { ...ACCOUNT_LIMITS, log: 100, connections: 64 };

/** The limits of an account that has no token: guest, operator or module. */
export const limitsWithoutToken = (
  account: string,
  set: LimitsByAccount,
  maxGuests = DEFAULT_GUEST_CONNECTIONS,
): LimitsInForce => {
  if (account === 'operator') return { ...OPERATOR_IN_FORCE, ...set.operator };
  if (account === 'guest') return { ...ACCOUNT_LIMITS, connections: maxGuests, ...set.guest };
  return { ...ACCOUNT_LIMITS, ...set[ALL_MODULES], ...set[account] };
};

/** The same by a configuration; each account has the same object each time. */
export const withoutTokenBy = ({
  limits,
  maxConnections,
}: Pick<StartConfig, 'limits' | 'maxConnections'>): ((account: string) => LimitsInForce) => {
  const known = new Map<string, LimitsInForce>();
  return (account) => {
    const found = known.get(account) ?? limitsWithoutToken(account, limits, maxConnections);
    known.set(account, found);
    return found;
  };
};

/** Below it the broker refuses a payload, with an error that names the limit. The server closes the connection. */
const LEAST_SERVER_PAYLOAD = MIB / 4;

/** Each token has an account, so one that is given away cannot use up what the others may have. */
export const principalLimits = (limits: LimitsInForce): AccountLimits => ({
  maxConnections: limits.connections,
  maxSubscriptions: limits.subscriptions,
  ...(limits.payload < MIB
    ? { maxPayload: Math.min(MIB, Math.max(LEAST_SERVER_PAYLOAD, 4 * limits.payload)) }
    : {}),
});

/**
 * A module is one process; producers of another language may connect with its key too. The payload is for its calls:
 * its results have the limits of its manifest.
 */
export const moduleLimits = (limits: LimitsInForce): AccountLimits => ({
  maxConnections: limits.connections,
  maxSubscriptions: limits.subscriptions,
});

/** Of the embedded server: the limits of every connection, and what it keeps of closed ones. */
export const SERVER_LIMITS: Readonly<Record<string, number>> = {
  max_pending: MAX_PENDING_BYTES,
  max_payload: MIB,
  max_control_line: 4096,
  // Also of those that have not said yet who they are. Files of streams need some of the process's 20,000 and more.
  max_connections: 8_192,
  // A subscription costs memory for each of its tokens.
  max_subscription_tokens: 32,
  // The server keeps the subscriptions of connections that are closed; its default is 10,000 connections.
  max_closed_clients: 128,
};
