import { MODES, type Mode } from './lossy-disk.js';
import { IN_FULL, byForm } from '../../support/form.js';

/** What `npm run test:power` hands to the test; without it, few crashes and a new seed each time. */
export const POWER_VARIABLES = {
  crashes: 'POWER_CRASHES',
  seed: 'POWER_SEED',
  mode: 'POWER_MODE',
  names: 'POWER_NAMES',
} as const;

const number = (variable: string): number | undefined => {
  const text = process.env[variable];
  return text === undefined ? undefined : Number(text);
};

export const SEED = number(POWER_VARIABLES.seed) ?? Math.floor(Math.random() * 2 ** 32);

const asked = number(POWER_VARIABLES.crashes);
export const IS_LONG = IN_FULL || asked !== undefined;
/** Losses of power under `fsync`. */
export const CRASHES = asked ?? byForm({ short: 1, deep: 4, full: 12 });
/** Records that are acknowledged between two of them, at most. */
export const MOST_ACKNOWLEDGED = IS_LONG ? 300 : 60;

const only = MODES.find((mode) => mode === process.env[POWER_VARIABLES.mode]);
/** One after the other. */
export const CRASH_MODES: readonly Mode[] = only === undefined ? MODES : [only];

/** Whether a name is on the disk after a sync of its directory only. */
export const STRICT_NAMES = process.env[POWER_VARIABLES.names] === 'strict';
