import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../system/files/package-root.js';
import type { Machine } from '../bench/machine.js';
import type { ReportChart, ReportTable } from '../bench/scenario.js';

/** One run of a scenario, as it is kept. Its data are those that `--json` prints. */
export interface KeptRun {
  readonly scenario: string;
  /** RFC 3339. */
  readonly time: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  /** The options of the command line, as they were given. */
  readonly options: readonly string[];
  readonly seconds: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly tables: readonly ReportTable[];
  readonly charts: readonly ReportChart[];
}

export const RESULTS = join(packageRoot(), 'perf', 'results');

const NAME = /^(\d{4}-\d{2}-\d{2})-([a-z-]+)\.json$/;

/** Keeps a run as `<day>-<scenario>.json`; a later run of that day takes its place. The path. */
export const keepRun = (run: KeptRun, dir = RESULTS): string => {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, `${run.time.slice(0, 10)}-${run.scenario}.json`);
  writeFileSync(path, `${JSON.stringify(run, null, 1)}\n`);
  return path;
};

/** The newest run of each scenario, by name. */
export const newestRuns = (dir = RESULTS): readonly KeptRun[] => {
  const newest = new Map<string, string>();
  for (const file of readdirSync(dir).toSorted()) {
    const scenario = NAME.exec(file)?.[2];
    if (scenario !== undefined) newest.set(scenario, file);
  }
  return [...newest]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, file]) => JSON.parse(readFileSync(join(dir, file), 'utf8')) as KeptRun);
};
