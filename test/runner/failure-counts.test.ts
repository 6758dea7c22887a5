import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitFor } from '../support/wait-for.js';
import { isAlive, runningProcesses } from '../support/processes.js';
import { busyLoops } from './busy-loops.js';
import { failureCounts } from './failure-counts.js';
import type { TestOutcome } from './outcomes-reporter.js';

const fileOf = (file: string, ...outcomes: readonly TestOutcome[]) => ({
  tier: 'unit' as const,
  file,
  seconds: 1,
  outcomes,
});
const pass = (name: string): TestOutcome => ({ kind: 'pass', suite: false, name });
const fail = (name: string, why: string): TestOutcome => ({ kind: 'fail', suite: false, name, why });

describe('a hunt for races', () => {
  it('counts in how many runs each test failed, with its reasons', () => {
    const counts = failureCounts([
      { files: [fileOf('a.test.ts', pass('one'), fail('two', 'late')), fileOf('b.test.ts', pass('one'))] },
      {
        files: [
          fileOf('a.test.ts', fail('two', 'late'), { kind: 'fail', suite: true, name: 'a suite' }),
          fileOf('b.test.ts', { kind: 'cancelled', suite: false, name: 'one' }),
        ],
      },
      { files: [fileOf('a.test.ts', fail('two', 'lost')), fileOf('b.test.ts', pass('one'))] },
    ]);
    assert.deepEqual(counts, [
      { file: 'a.test.ts', test: 'two', failed: 3, reasons: ['late', 'lost'] },
      { file: 'b.test.ts', test: 'one', failed: 1, reasons: [] },
    ]);
  });

  it('ends its busy loops', async () => {
    const ours = (): number[] =>
      runningProcesses().flatMap(({ pid, command }) => (command.includes('process.ppid ===') ? [pid] : []));
    const before = new Set(ours());
    let loops: number[] = [];
    {
      await using _ = busyLoops(2);
      loops = await waitFor('the loops to run', () => {
        const added = ours().filter((pid) => !before.has(pid));
        return added.length === 2 && added;
      });
    }
    assert.deepEqual(loops.filter(isAlive), []);
  });
});
