import { LOAD_SCENARIOS } from '../../perf/adr/load-scenarios.js';
import type { AdrNumber } from '../../perf/adr/verdicts.js';
import type { Machine } from '../../perf/bench/machine.js';
import type { ReportChart } from '../../perf/bench/scenario.js';
import type { Durability } from '../../schemas/log.js';
import { formatNumber } from '../../text/numbers.js';
import { fittedTable } from './fitted-table.js';

/** What `tallystick bench` found. */
export interface BenchResult {
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: Machine;
  readonly durability: Durability;
  readonly isQuick: boolean;
  /** That it took. */
  readonly seconds: number;
  readonly met: number;
  /** Each number of ADR-0017 that it measured. */
  readonly requirements: readonly AdrNumber[];
}

const GIB = 1024 ** 3;

const placeOf = ({ versions, machine, durability }: BenchResult): string => {
  const { cpus, model, memoryBytes, system } = machine;
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${programs.join(', ')}; durability ${durability}`,
    `${cpus} × ${model}, ${formatNumber(memoryBytes / GIB)} GiB, ${system}`,
  ].join('\n');
};

const verdictOf = ({ met, requirements, isQuick }: BenchResult): string => {
  const rough = isQuick ? '; --quick: rough figures' : '';
  return `ADR-0017: ${met} of ${requirements.length} numbers are met${rough}`;
};

/** One page for a person. */
export const benchText = (result: BenchResult): string => {
  const rows = result.requirements.map(({ part, what, asked, measured, verdict }) => [
    part,
    what,
    asked,
    measured,
    verdict,
  ]);
  const heads = ['part', 'number', 'asked', 'measured', 'verdict'];
  return [placeOf(result), fittedTable(heads, rows, { keys: ['verdict'] }), verdictOf(result)].join('\n');
};

/** Their numbers have the same names. */
const LOADS: ReadonlySet<string> = new Set(LOAD_SCENARIOS.map(({ name }) => name));

/** How many times better than asked each number is that can be compared so. */
export const benchChart = (result: BenchResult): ReportChart => ({
  name: 'bench',
  title: verdictOf(result),
  unit: 'times better than ADR-0017 asks; below 1 and grey: not met',
  scale: 'log',
  bars: result.requirements.flatMap(({ part, what, margin, verdict }) =>
    margin === undefined
      ? []
      : [
          {
            label: LOADS.has(part) ? `${part}, ${what}` : what,
            value: margin,
            isOwn: verdict === 'met',
          },
        ],
  ),
});
