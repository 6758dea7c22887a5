import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pssIn } from '../../perf/bench/process-memory.js';
import { perf } from './perf.js';

interface PrintedIdle {
  readonly idle: {
    readonly processes: Readonly<
      Record<
        string,
        {
          readonly cpuPercent: { readonly median: number };
          readonly rss: number;
          readonly pss: number | null;
        }
      >
    >;
  };
  readonly ratios: Readonly<Record<string, number | null>>;
}

describe('the benchmark of an idle broker', () => {
  test('it prints processor time and memory of each process, and their sums', async () => {
    const { code, stdout, stderr } = await perf(['idle', '--seconds', '1', '--json']);
    assert.equal(code, 0, stderr);
    const { idle, ratios } = JSON.parse(stdout) as PrintedIdle;
    assert.deepEqual(Object.keys(idle.processes).sort(), [
      'accounts',
      'agents',
      'broker',
      'orders',
      'server',
    ]);
    assert.deepEqual(Object.keys(ratios), ['idleCpuPercent', 'idleRssMiB', 'idlePssMiB']);
    const all = Object.values(idle.processes);
    for (const { cpuPercent, rss, pss } of all) {
      assert.ok(cpuPercent.median >= 0 && cpuPercent.median < 200);
      assert.ok(rss > 10_000_000);
      if (process.platform === 'linux') assert.ok(pss !== null && pss > 0 && pss <= rss * 1.2);
    }
    const rssMiB = all.reduce((sum, { rss }) => sum + rss, 0) / 1024 / 1024;
    assert.ok(Math.abs((ratios.idleRssMiB ?? 0) - rssMiB) < 0.1);
  });

  test('the proportional memory is read from what Linux prints, or there is none', () => {
    assert.equal(
      pssIn('00400000-7fff [rollup]\nRss:  75000 kB\nPss:     40960 kB\nPss_Anon: 1 kB\n'),
      40_960 * 1_024,
    );
    assert.equal(pssIn(''), null);
  });
});
