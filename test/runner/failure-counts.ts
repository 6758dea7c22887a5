import type { RunRecord } from './run-record.js';

/** A test that failed in at least one of several runs. */
export interface FailureCount {
  readonly file: string;
  readonly test: string;
  /** How many of the runs it failed in. */
  readonly failed: number;
  /** The reasons, each once. */
  readonly reasons: readonly string[];
}

const isFailure = ({ kind, suite }: { readonly kind: string; readonly suite: boolean }): boolean =>
  !suite && (kind === 'fail' || kind === 'cancelled');

/** The tests that failed, the most frequent first. */
export const failureCounts = (runs: readonly Pick<RunRecord, 'files'>[]): readonly FailureCount[] => {
  const found = new Map<string, { file: string; test: string; runs: Set<number>; reasons: Set<string> }>();
  for (const [run, { files }] of runs.entries()) {
    for (const { file, outcomes } of files) {
      for (const { name, why } of outcomes.filter(isFailure)) {
        const key = JSON.stringify([file, name]);
        const entry = found.get(key) ?? { file, test: name, runs: new Set(), reasons: new Set() };
        found.set(key, entry);
        entry.runs.add(run);
        if (why !== undefined) entry.reasons.add(why);
      }
    }
  }
  return [...found.values()]
    .map(({ file, test, runs: failedIn, reasons }) => ({
      file,
      test,
      failed: failedIn.size,
      reasons: [...reasons],
    }))
    .sort((a, b) => b.failed - a.failed);
};
