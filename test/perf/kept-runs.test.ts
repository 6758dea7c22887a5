import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { machine } from '../../perf/bench/machine.js';
import { barChart } from '../../perf/report/bar-chart.js';
import { type KeptRun, keepRun, newestRuns, RESULTS } from '../../perf/report/result-file.js';
import { summaryOf, writeSummary } from '../../perf/report/results-page.js';
import { tempDir } from '../support/temp-dir.js';

const run = (scenario: string, time: string): KeptRun => ({
  scenario,
  time,
  machine: machine(),
  versions: { node: '20' },
  options: ['--rounds', '1'],
  seconds: 60,
  data: {},
  tables: [{ title: 'speed', heads: ['what', 'a | second'], rows: [['<b>', '1']] }],
  charts: [
    {
      name: 'speed',
      title: 'Speed & more',
      unit: 'a second',
      scale: 'log',
      bars: [{ label: '<way>', value: 12 }],
    },
  ],
});

describe('runs of benchmarks that are kept', () => {
  it('the page has the newest run of each scenario, with its tables and charts', async () => {
    await using dir = tempDir();
    for (const [scenario, day] of [
      ['ipc', '2026-01-02'],
      ['ipc', '2026-01-10'],
      ['calls', '2026-01-05'],
    ] as const)
      keepRun(run(scenario, `${day}T00:00:00.000Z`), dir.path);
    assert.deepEqual(
      newestRuns(dir.path).map(({ scenario, time }) => `${scenario} ${time.slice(0, 10)}`),
      ['calls 2026-01-05', 'ipc 2026-01-10'],
    );
    writeSummary(dir.path);
    const page = readFileSync(join(dir.path, 'SUMMARY.md'), 'utf8');
    assert.match(page, /## ipc\n\n`npm run perf -- ipc --rounds 1`, 2026-01-10, 1 minutes/);
    assert.match(page, /\| what \| a \\\| second \|/);
    assert.match(page, /!\[Speed & more\]\(charts\/ipc-speed\.svg\)/);
    assert.match(readFileSync(join(dir.path, 'charts', 'ipc-speed.svg'), 'utf8'), /&lt;way&gt;/);
  });

  it('perf/results/SUMMARY.md and its charts are those of the runs there', () => {
    const runs = newestRuns();
    assert.ok(runs.length > 0);
    assert.equal(readFileSync(join(RESULTS, 'SUMMARY.md'), 'utf8'), summaryOf(runs));
    for (const { scenario, charts } of runs)
      for (const chart of charts) {
        const path = join(RESULTS, 'charts', `${scenario}-${chart.name}.svg`);
        assert.ok(existsSync(path), path);
        assert.equal(readFileSync(path, 'utf8'), barChart(chart));
      }
  });
});
