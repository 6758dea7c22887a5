import { readFileSync, writeFileSync } from 'node:fs';
import type { TierRun } from './run-files.js';

/** What `--json FILE` of a run of tests writes. */
export interface RunRecord {
  readonly green: boolean;
  readonly durationMs: number;
  /** Of the whole run, with all programs that it started, in seconds; unknown on a system without `/proc`. */
  readonly processorSeconds?: number;
  readonly files: readonly Omit<TierRun, 'output'>[];
}

export const writeRecord = (path: string, record: RunRecord): void =>
  writeFileSync(path, `${JSON.stringify(record, undefined, 2)}\n`);

export const readRecord = (path: string): RunRecord => JSON.parse(readFileSync(path, 'utf8')) as RunRecord;
