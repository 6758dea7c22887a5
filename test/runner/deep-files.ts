import { loadedBy } from './import-graph.js';

/**
 * Files that run only in `npm run test:deep`, `npm run test:faults`, or when you name them. `npm test` has for each a file with
 * the same promise: another durability level, one kill in place of a storm, one client in place of a
 * flood. The files of `test/perf` test the benchmarks, which no user of the broker runs.
 */
export const DEEP_FILES: readonly string[] = [
  // The other durability level is in `npm test`.
  'test/faults/kills-os.test.ts',
  'test/faults/power/power-loss-os.test.ts',
  'test/journal/model-os.test.ts',
  // Storms: `npm test` kills and stops processes one by one.
  'test/faults/restart-storm.test.ts',
  'test/faults/pauses.test.ts',
  'test/faults/two-brokers.test.ts',
  'test/faults/lines-producer.test.ts',
  'test/faults/lines-broker.test.ts',
  'test/faults/kills-producer.test.ts',
  'test/faults/kills-schedules.test.ts',
  'test/broker/hearing/hearing-kills.test.ts',
  'test/broker/subscriptions/subscription-kills.test.ts',
  'test/journal/reader-kills.test.ts',
  // Kills at named points of one part: `npm test` kills all parts under load.
  'test/faults/fail-points.test.ts',
  'test/faults/dead-letters.test.ts',
  'test/faults/kills-keys.test.ts',
  'test/faults/cancels.test.ts',
  'test/faults/restarts.test.ts',
  'test/faults/races.test.ts',
  'test/broker/supervisor/crash-among-many.test.ts',
  'test/broker/supervisor/checks-that-crash.test.ts',
  'test/broker/supervisor/storms.test.ts',
  'test/cli/erase-kills.test.ts',
  // A loss of power, and the tests of the disk that loses it: `npm test` kills processes, and reads damaged files.
  'test/faults/power/power-loss.test.ts',
  'test/faults/power/lossy-disk.test.ts',
  'test/faults/power/sqlite.test.ts',
  // Amounts: `npm test` has the same limits with smaller ones.
  'test/faults/many-open.test.ts',
  'test/faults/scale.test.ts',
  'test/cli/total.test.ts',
  'test/faults/leaking-module.test.ts',
  'test/broker/one-agent-flood.test.ts',
  'test/broker/serving/large-floods.test.ts',
  'test/broker/serving/turnstile.test.ts',
  'test/broker/access/client-floods.test.ts',
  // It downloads Prometheus. `npm test` compares the names of alerts and dashboard with a scrape.
  'test/http/prometheus.test.ts',
  // What surrounds the command line: `npm test` has what it is made of.
  'test/cli/completion.test.ts',
  'test/cli/dev-names.test.ts',
  'test/cli/dev-options.test.ts',
  'test/cli/dev-arguments.test.ts',
  'test/cli/dev-types.test.ts',
  'test/cli/seal-combinations.test.ts',
  // The packed package, and the reports of the public API, which a review reads. `npm test` checks the public entries.
  'test/architecture/package.test.ts',
  'test/architecture/public-api.test.ts',
  // An example in place of the promise: `npm test` kills a saga at each of its steps.
  'test/faults/checkout.test.ts',
  // Every command of replay as its documents show it: `npm test` has a file of test/cli for each of them.
  'test/docs/replay-commands.test.ts',
  // The packed package by its tutorial. `npm test` follows the README and the guide that writes a module.
  'test/docs/tutorial.test.ts',
  // Load: `npm test` runs one burst with kills of all processes.
  'test/docs/burst-commands.test.ts',
  // Random inputs and mutations.
  'test/fuzz/fuzz.test.ts',
  'test/fuzz/http/http-fuzz.test.ts',
  'test/faults/burst-mutations.test.ts',
  'test/faults/changed-handlers.test.ts',
  // Clocks and logs that are rare.
  'test/faults/clock.test.ts',
  'test/broker/supervisor/start-clock.test.ts',
  'test/faults/future-log.test.ts',
  'test/faults/known-modules.test.ts',
  // Installs test runners from the registry: `npm test` runs the kit by node:test.
  'test/testing/test-runners.test.ts',
  // Benchmarks.
  'test/cli/bench.test.ts',
  'test/perf/adr.test.ts',
  'test/perf/call-peers.test.ts',
  'test/perf/calls.test.ts',
  'test/perf/growth.test.ts',
  'test/perf/http.test.ts',
  'test/perf/idle.test.ts',
  'test/perf/ipc.test.ts',
  'test/perf/log-peers.test.ts',
  'test/perf/lookup.test.ts',
  'test/perf/profile.test.ts',
  'test/perf/scenarios.test.ts',
];

/** These tests have random or repeated parts, so they have a deep form. */
const FORM = 'test/support/form.ts';

export interface Asked {
  /** The tests with a deep form, and no others. */
  readonly deep: boolean;
  /** The tests that take `TEST_FORM` run in a long form, so no file is too long. */
  readonly isLong: boolean;
  /** Files that a person named. They run in every form. */
  readonly named: readonly string[];
}

/** Whether a file has its turn in this run. */
export const isInRun = (file: string, { deep, isLong, named }: Asked): boolean => {
  if (named.includes(file)) return true;
  if (deep) return DEEP_FILES.includes(file) || loadedBy(file).has(FORM);
  return isLong || !DEEP_FILES.includes(file);
};
