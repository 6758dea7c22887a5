/**
 * Unit tests that are not pure, each with 1 to 5 s of processor time: they build modules, or start many processes. `npm test` runs
 * them. `npm run check` does not, so that it stays under a minute.
 */
export const NOT_IN_CHECK: readonly string[] = [
  'test/modules/bundle/build-at-once.test.ts',
  'test/modules/bundle/describe-module.test.ts',
  'test/system/processes/owner.test.ts',
  'test/system/cage/kernels.test.ts',
  'test/runner/run-batch.test.ts',
  'test/support/command-threads.test.ts',
  'test/cli/create-prompts.test.ts',
];
