import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatNumber } from '../../text/numbers.js';
import type { ReportTable } from '../bench/scenario.js';
import { barChart } from './bar-chart.js';
import { type KeptRun, newestRuns, RESULTS } from './result-file.js';

const GIB = 1024 ** 3;

const HEAD = `# Results of the benchmarks

\`npm run perf -- SCENARIO --save\` wrote this page from its run. Nobody edits it by hand. Each part has the newest run of one
scenario. [Benchmarks](../../docs/reference/benchmarks.md) explains the scenarios. Figures of another machine are other figures: compare
what stands in one table.
`;

const cell = (text: string): string => text.replaceAll('|', '\\|');

const tableOf = ({ title, heads, rows }: ReportTable): string =>
  [
    `**${title}**`,
    '',
    `| ${heads.map(cell).join(' | ')} |`,
    `|${heads.map(() => '---').join('|')}|`,
    ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
  ].join('\n');

const chartFile = (run: KeptRun, name: string): string => join('charts', `${run.scenario}-${name}.svg`);

const partOf = (run: KeptRun): string => {
  const { machine, versions, options, time, seconds } = run;
  const on = `${machine.cpus} × ${machine.model}, ${formatNumber(machine.memoryBytes / GIB)} GiB, ${machine.system}`;
  const with_ = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `## ${run.scenario}`,
    '',
    `\`npm run perf -- ${[run.scenario, ...options].join(' ')}\`, ${time.slice(0, 10)}, ${formatNumber(seconds / 60, 1)} minutes. ${on}. ${with_.join(', ')}.`,
    ...run.charts.flatMap(({ name, title }) => ['', `![${title}](${chartFile(run, name)})`]),
    ...run.tables.flatMap((table) => ['', tableOf(table)]),
    '',
  ].join('\n');
};

/** The page of the newest runs. */
export const summaryOf = (runs: readonly KeptRun[]): string => [HEAD, ...runs.map(partOf)].join('\n');

/** Writes the page and its charts from the runs that are kept. */
export const writeSummary = (dir = RESULTS): void => {
  const runs = newestRuns(dir);
  mkdirSync(join(dir, 'charts'), { recursive: true });
  for (const run of runs)
    for (const chart of run.charts) writeFileSync(join(dir, chartFile(run, chart.name)), barChart(chart));
  writeFileSync(join(dir, 'SUMMARY.md'), summaryOf(runs));
};
