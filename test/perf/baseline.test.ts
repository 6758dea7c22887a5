import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { measured } from '../../perf/bench/rounds.js';
import { compareRuns } from '../../perf/report/baseline.js';

const rounds = fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), { minLength: 3, maxLength: 6 });
const figures = ['perSecond', 'p50Ms', 'cpuUs', 'rssBytes', 'read'] as const;
const LOWER: readonly string[] = ['p50Ms', 'cpuUs', 'rssBytes'];

describe('a run that is compared with a baseline', () => {
  it('is worse only where no round of the two is as good as the other, and says where', () => {
    fc.assert(
      fc.property(fc.constantFrom(...figures), rounds, rounds, (name, before, now) => {
        const dataOf = (values: readonly number[]) => ({ some: { way: { [name]: measured(values) } } });
        const [found] = compareRuns(dataOf(before), dataOf(now));
        const sign = LOWER.includes(name) ? -1 : 1;
        const good = (values: readonly number[]) => values.map((value) => value * sign);
        const isWorse = Math.max(...good(now)) < Math.min(...good(before));
        assert.equal(found?.figure, `some.way.${name}`);
        if (found?.verdict === 'worse') assert.ok(isWorse);
        else if (isWorse) assert.ok(Math.abs((found?.ratio ?? 0) - 1) <= 0.05);
      }),
    );
  });

  it('has no verdict for a figure with too few rounds, or that the other run lacks', () => {
    const few = { a: { perSecond: measured([1, 2]) } };
    const enough = { b: { perSecond: measured([1, 2, 3]) } };
    assert.deepEqual(compareRuns(few, few), []);
    assert.deepEqual(compareRuns(few, enough), []);
    assert.equal(compareRuns(enough, enough)[0]?.verdict, 'same');
  });
});
