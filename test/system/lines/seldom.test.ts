import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import fc from 'fast-check';
import { Seldom } from '../../../system/lines/seldom.js';

/** How many things a line stands for. */
const countIn = (line: string): number => Number(/the last of (\d+) like it/.exec(line)?.[1] ?? 1);

describe('what is said seldom', () => {
  it('I8 is said or counted, all of it, and in 10 s there is one line at most', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      fc.assert(
        fc.property(fc.array(fc.nat(15_000), { minLength: 1, maxLength: 60 }), (pauses) => {
          const lines: { readonly at: number; readonly text: string }[] = [];
          let now = 0;
          const tick = (ms: number): void => {
            for (let left = ms; left > 0; left -= 1_000) {
              const step = Math.min(left, 1_000);
              now += step;
              mock.timers.tick(step);
            }
          };
          const seldom = new Seldom((text) => lines.push({ at: now, text }));
          for (const [i, pause] of pauses.entries()) {
            seldom.say(`thing ${i}`);
            tick(pause);
          }
          tick(21_000);
          assert.equal(
            lines.reduce((sum, { text }) => sum + countIn(text), 0),
            pauses.length,
          );
          for (const [i, { at }] of lines.entries()) {
            // The clock of this test goes in steps of a second at most.
            if (i > 0) assert.ok(at - (lines[i - 1]?.at ?? 0) >= 9_000);
          }
        }),
        { numRuns: 50 },
      );
    } finally {
      mock.timers.reset();
    }
  });
});
