import { statSync } from 'node:fs';
import { type Diagnosis, asOk, asProblem, asWarning } from './diagnosis.js';
import { join } from 'node:path';
import { ADDRESS_FILE } from '../../schemas/operate.js';

/** This package did not exist then. */
const EARLIEST = Date.UTC(2026, 0, 1);
const TOLERATED_MS = 60_000;

/** 0: there is no such file, or this user may not look. */
const writtenMs = (path: string): number => {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
};

/** Whether the clock of the machine can be right. A broker that ran here before tells more. */
export const checkClock = (dir: string, nowMs = Date.now()): Diagnosis => {
  const now = Number.isNaN(new Date(nowMs).getTime()) ? String(nowMs) : new Date(nowMs).toISOString();
  const advice = 'set the clock, and let a service such as chrony or systemd-timesyncd keep it';
  if (nowMs < EARLIEST) return asProblem('clock', `${now} is too early`, advice);
  const started = writtenMs(join(dir, ADDRESS_FILE));
  return started > nowMs + TOLERATED_MS
    ? asWarning('clock', `${now}, but a broker started here at ${new Date(started).toISOString()}`, advice)
    : asOk('clock', now);
};
