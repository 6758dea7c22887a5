/** The files that take longest, the longest first. They begin first in their tier, so that no long file runs alone at the end. */
export const LONG_FILES: readonly string[] = [
  'test/docs/commands.test.ts',
  'test/docs/replay-commands.test.ts',
  'test/cli/module-source.test.ts',
  'test/cli/dev.test.ts',
  'test/cli/rebuild.test.ts',
  'test/cli/bad-input.test.ts',
  'test/docs/tutorial.test.ts',
  'test/cli/transfer.test.ts',
  'test/cli/create.test.ts',
  'test/cli/dev-names.test.ts',
  'test/cli/schedule.test.ts',
  'test/broker/start.test.ts',
  'test/broker/dead/dead-letters.test.ts',
  'test/broker/supervisor/life-cycle.test.ts',
  'test/broker/schedules/firings.test.ts',
  'test/journal/model-fsync.test.ts',
  'test/journal/model-os.test.ts',
  'test/journal/outbox.test.ts',
  'test/perf/scenarios.test.ts',
  'test/faults/kills-fsync.test.ts',
  'test/faults/kills-os.test.ts',
  'test/faults/fail-points.test.ts',
  'test/faults/kills-schedules.test.ts',
  'test/faults/pauses.test.ts',
  'test/faults/known-modules.test.ts',
  'test/faults/future-log.test.ts',
];

/** When a file has its turn in its tier: the lower, the earlier. */
export const turnOfLength = (file: string): number => {
  const at = LONG_FILES.indexOf(file);
  return at === -1 ? LONG_FILES.length : at;
};
