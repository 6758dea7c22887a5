import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Durability } from '../../schemas/log.js';
import { packageRoot } from '../../system/files/package-root.js';
import type { Reaper } from '../../system/processes/reaper.js';
import type { BurstOutcome } from '../burst/burst-outcome.js';

/** A load scenario of ADR-0017. */
export interface LoadScenario {
  readonly name: string;
  readonly agents: number;
  readonly perSecond: number;
  /** As the ADR asks, and in the short form. */
  readonly seconds: { readonly full: number; readonly short: number };
  readonly p99Ms?: number;
  /** Largest share of records that were not acknowledged. */
  readonly errorRate: number;
  readonly recoverySeconds?: number;
}

export const LOAD_SCENARIOS: readonly LoadScenario[] = [
  {
    name: 'steady state',
    agents: 1_000,
    perSecond: 10_000,
    seconds: { full: 3_600, short: 15 },
    p99Ms: 10,
    errorRate: 0.0001,
  },
  {
    name: 'peak load',
    agents: 10_000,
    perSecond: 100_000,
    seconds: { full: 900, short: 10 },
    p99Ms: 50,
    errorRate: 0.001,
  },
  {
    name: 'sustained load',
    agents: 5_000,
    perSecond: 50_000,
    seconds: { full: 86_400, short: 15 },
    p99Ms: 20,
    errorRate: 0.0001,
  },
  {
    name: 'burst traffic',
    agents: 10_000,
    perSecond: 100_000,
    seconds: { full: 10, short: 10 },
    errorRate: 0,
    recoverySeconds: 5,
  },
];

interface LoadSetting {
  readonly durability?: Durability;
  /** Before and after the load. */
  readonly baselineSeconds?: number;
}

/** Runs it as events by `tallystick burst`, which also proves from the log that nothing was lost. */
export const runLoad = async (
  { agents, perSecond }: LoadScenario,
  seconds: number,
  reaper: Reaper,
  { durability = 'os', baselineSeconds = 3 }: LoadSetting = {},
): Promise<BurstOutcome> => {
  const args = [
    join(packageRoot(), 'dist', 'bin', 'tallystick.js'),
    'burst',
    '--json',
    ...['--durability', durability, '--max-recovery', '120'],
    ...['--baseline-seconds', String(baselineSeconds)],
    ...['--agents', String(agents), '--rate', String(perSecond), '--seconds', String(seconds)],
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  reaper.track(child);
  const [printed] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  const last = printed.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new Error(`tallystick burst printed ${last || 'nothing'}`);
  return JSON.parse(last) as BurstOutcome;
};
