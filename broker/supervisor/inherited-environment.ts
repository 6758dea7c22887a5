import { SILENCE_VARIABLE } from '../../link/keepalive.js';
import { FAIL_VARIABLE } from '../../system/processes/fail-point.js';

const INHERITED = [
  'PATH',
  'HOME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  FAIL_VARIABLE,
  SILENCE_VARIABLE,
] as const;

/** A module is not trusted with the broker's environment: it may hold credentials of others. */
export const inheritedEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    INHERITED.map((name) => [name, process.env[name]]).filter(([, value]) => value !== undefined),
  );
