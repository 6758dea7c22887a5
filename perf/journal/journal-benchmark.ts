import type { Durability } from '../../schemas/log.js';
import type { Report, Scenario, ReportTable } from '../bench/scenario.js';
import { type Appending, type Level, measureAppending, UNLIMITED } from './appending.js';
import type { LoadRun } from './load.js';
import { measureReading } from './reading.js';
import { formatNumber } from '../../text/numbers.js';

const rateOf = (run: LoadRun | undefined): number => run?.perSecond ?? Number.NaN;

/** What the journal is held to; see docs/reference/benchmarks.md. */
const ratiosOf = ({ fsync, os }: Appending['levels'], readPerSecond: number) => {
  const benches = Object.entries(os.peers).filter(([name]) => name.startsWith('nats bench'));
  const lone = ({ plain, journal }: Level): number => (journal['1']?.p50Ms ?? Number.NaN) / plain.p50Ms;
  return {
    fsyncOverPerMessage: rateOf(fsync.journal[UNLIMITED]) / fsync.plain.perSecond,
    osOverBestBench: rateOf(os.journal[UNLIMITED]) / Math.max(...benches.map(([, rate]) => rate)),
    loneOverPlain: Math.max(lone(fsync), lone(os)),
    readPerSecond,
  };
};

const tableOf = (durability: Durability, { plain, journal, peers }: Level): ReportTable => {
  const row = (name: string, { perSecond, p50Ms, p99Ms }: LoadRun) => [
    name,
    formatNumber(perSecond),
    p50Ms.toFixed(3),
    p99Ms.toFixed(3),
  ];
  return {
    title: `appending, durability ${durability}`,
    heads: ['', 'records/s', 'p50 ms', 'p99 ms'],
    rows: [
      row('a publish with ack each', plain),
      ...Object.entries(journal).map(([callers, run]) =>
        row(callers === '1' ? 'journal, 1 caller' : `journal, ${callers} callers`, run),
      ),
      ...Object.entries(peers).map(([name, rate]) => [name, formatNumber(rate), '', '']),
    ],
  };
};

export const journal: Scenario = {
  name: 'journal',
  summary: 'appending and reading, compared with plain publishes and `nats bench`; the ratios to hold',
  run: async (options): Promise<Report> => {
    const appending = await measureAppending(options);
    const reading = await measureReading(options);
    const ratios = ratiosOf(appending.levels, reading.readPerSecond);
    return {
      data: { ...appending, reading, ratios },
      tables: [
        tableOf('fsync', appending.levels.fsync),
        tableOf('os', appending.levels.os),
        {
          title: 'reading',
          heads: ['reader', 'records/s'],
          rows: Object.entries(reading.readers).map(([name, { median }]) => [name, formatNumber(median)]),
        },
        {
          title: 'ratios',
          heads: ['', 'measured', 'held'],
          rows: [
            ['fsyncOverPerMessage', ratios.fsyncOverPerMessage.toFixed(1), '>= 10'],
            ['osOverBestBench', ratios.osOverBestBench.toFixed(2), '>= 0.6'],
            ['loneOverPlain', ratios.loneOverPlain.toFixed(2), '<= 1.15'],
            ['readPerSecond', formatNumber(ratios.readPerSecond), '>= 300,000'],
          ],
        },
      ],
    };
  },
};
