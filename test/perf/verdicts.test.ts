import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requirements } from '../../perf/adr/requirements.js';
import { atLeast, atMost } from '../../perf/adr/verdicts.js';
import { benchChart, type BenchResult, benchText } from '../../bin/text/bench-text.js';
import { machine } from '../../perf/bench/machine.js';

const times = { p50Us: 50, p99Us: 2_000 };
const FIGURES = {
  calls: {
    routing: times,
    processing: times,
    whole: times,
    firstCommand: times,
    perSecond: 5_000,
    baseBytes: 200e6,
  },
  appendedPerSecond: 200_000,
  ratios: { getP50Us10k: 10, getP99Us10k: 20 },
  loads: [],
};

describe('the verdicts on the numbers of ADR-0017', () => {
  it('what is asked is met up to the number itself, and the margin says by how much', () => {
    const all = [atMost('a', 10, 10, 'ms'), atMost('b', 10, 11, 'ms'), atLeast('c', 10, 10, '/s')];
    assert.deepEqual(
      [...all, atLeast('d', 10, 5, '/s'), atMost('e', 10, undefined, 'ms')].map(({ verdict, margin }) => [
        verdict,
        margin,
      ]),
      [
        ['met', 1],
        ['not met', 10 / 11],
        ['met', 1],
        ['not met', 0.5],
        ['not measured', undefined],
      ],
    );
    assert.equal(atMost('lost', 0, 0, 'records').margin, undefined);
  });

  it('what a run left out has no verdict, and one page shows what it measured', () => {
    const measured = requirements(FIGURES).filter((each) => each.measured !== '');
    assert.deepEqual(
      measured.map(({ what }) => what),
      [
        ...['local routing, p50', 'local routing, p99', 'agent start-up, p50', 'agent start-up, p99'],
        ...['message processing, p50', 'message processing, p99'],
        ...['messages a second, stored', 'messages a second, as durable calls', 'base memory'],
        ...['agent lookup, p50', 'agent lookup, p99'],
      ],
    );
    const result: BenchResult = {
      versions: { node: '20' },
      machine: machine(),
      durability: 'os',
      isQuick: false,
      seconds: 1,
      met: measured.filter(({ verdict }) => verdict === 'met').length,
      requirements: measured,
    };
    const text = benchText(result);
    assert.match(text, /^ADR-0017: 8 of 11 numbers are met$/m);
    assert.match(text, /^routing +local routing, p99 +at most 1,000 us +2,000 us +not met$/m);
    const bars = new Map(benchChart(result).bars.map(({ label, value, isOwn }) => [label, [value, isOwn]]));
    assert.deepEqual(bars.get('local routing, p50'), [2, true]);
    assert.deepEqual(bars.get('base memory'), [0.5, false]);
  });
});
