import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { BurstOutcome } from '../../perf/burst/burst-outcome.js';
import { IN_FULL } from '../support/form.js';
import { tallystickPath } from '../support/program-paths.js';
import { processesOf } from './system-state.js';
import { runProgram } from '../support/run-program.js';
import { tempDir } from '../support/temp-dir.js';

/** What is lost is looked for here, not how fast it is: a slow machine may take its time. */
const COMMON = ['--json', '--max-recovery', '150', '--baseline', '200', '--baseline-seconds', '1'];

interface Case {
  readonly title: string;
  readonly args: readonly string[];
  readonly inFullOnly?: boolean;
}

const CASES: readonly Case[] = [
  {
    title:
      'I1 I2 I4 I6 a burst of events loses nothing when module, producer, server and broker are killed, os',
    args: [
      ...['--durability', 'os', '--rate', '8000', '--seconds', '5', '--agents', '1000'],
      ...['--kill', 'module@1,producer@1.5,server@2,broker@3'],
    ],
  },
  {
    title: 'I1 to I6 a burst of calls loses nothing when module and server are killed, fsync',
    args: [
      ...['--durability', 'fsync', '--calls', '--rate', '800', '--seconds', '4', '--agents', '300'],
      ...['--kill', 'module@1,server@2'],
    ],
    inFullOnly: true,
  },
  {
    title: 'I1 I2 I4 I6 20 bursts of events in a row, each with kills, lose nothing',
    args: [
      ...['--durability', 'os', '--rate', '20000', '--seconds', '5', '--runs', '20'],
      ...['--kill', 'module@2,server@3'],
    ],
    inFullOnly: true,
  },
];

describe('tallystick burst with kills', () => {
  for (const { title, args, inFullOnly } of CASES) {
    if (inFullOnly === true && !IN_FULL) continue;
    it(title, async (t) => {
      await using dir = tempDir();
      const kept = join(dir.path, 'kept');
      const svg = join(dir.path, 'burst.svg');
      const all = [tallystickPath(), 'burst', ...COMMON, ...args, '--picture', svg, '--keep', kept];
      const { code, stdout, stderr } = await runProgram(process.execPath, all, { timeoutMs: 590_000 });
      assert.notEqual(stdout, '', stderr);
      const outcomes = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as BurstOutcome);
      for (const each of outcomes) {
        assert.deepEqual(each.reasons, []);
        const { ok, lost, duplicated, reordered, unanswered, otherFindings } = each;
        assert.deepEqual([ok, lost, duplicated, reordered, unanswered, otherFindings], [true, 0, 0, 0, 0, 0]);
        const planned = args.at(-1)?.split(',').length;
        assert.ok(each.acked > 0 && each.delivered >= each.acked && each.faults.length === planned);
        t.diagnostic(
          `${each.acked} of ${each.offered} acknowledged; ${each.faults.map(({ what, downMs }) => `${what} down ${downMs} ms`).join(', ')}`,
        );
      }
      assert.equal(code, 0, stderr);
      if (outcomes.length === 1) {
        assert.match(readFileSync(svg, 'utf8'), /^<svg [\s\S]*killed[\s\S]*<\/svg>\n$/);
        assert.ok(existsSync(join(kept, 'acknowledged.ndjson')));
      }
      assert.deepEqual(processesOf(kept), []);
    });
  }
});
