import { writeSync } from 'node:fs';

const MAX_LINES = 200;
const logs: { readonly title: string; readonly read: () => string }[] = [];

// The test runner has set the exit code by the time the process ends, and only then is it known that a test failed:
// a disposal cannot tell a test that threw from one that returned.
process.on('exit', (code) => {
  if (code === 0 && (process.exitCode ?? 0) === 0) return;
  for (const { title, read } of logs) {
    const lines = read().trimEnd().split('\n');
    writeSync(2, `\n--- ${title} (last ${MAX_LINES} lines)\n${lines.slice(-MAX_LINES).join('\n')}\n---\n`);
  }
});

/** Prints a log at the end of the test file if any of its tests failed. */
export const showOnFailure = (title: string, read: () => string): void => {
  logs.push({ title, read });
};
