import type { LimitName } from '../../schemas/principal-limits.js';

/** The limits that hold for an account. Infinity: none. */
export type LimitsInForce = Readonly<Record<LimitName, number>>;

/** Half of all schedules: no account uses them up for the others. */
export const MAX_ACCOUNT_SCHEDULES = 5_000;

/** Open producers of an account. */
export const MAX_ACCOUNT_PRODUCERS = 1_000;
