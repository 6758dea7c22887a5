import { formatNumber } from '../../text/numbers.js';
import type { ReportChart, ReportTable } from '../bench/scenario.js';
import type { EventLogging } from './event-logging.js';
import { LOADS, type LoadName, ROUND_TRIPS, type WayFigures } from './measure-ways.js';
import { PATTERN_NAMES, type PatternFigures, type PatternName, SIZES } from './patterns.js';
import { REPORTED } from './reported.js';
import { FORMAT_NAMES, type FormatFigures, type FormatName } from './serialization.js';

const MB = 1e6;

/** A figure of the report, if it has one here. */
const reported = (said: Readonly<Record<string, string>>, name: string): string => said[name] ?? '';

const us = (value: number): string => formatNumber(Number(value.toPrecision(3)));
const mb = (bytes: number): string => (bytes / MB).toFixed(1);

/** What calls cannot take. */
const FEWER = ' (a call takes 983,040 at most)';

const throughputTable = (load: LoadName, ways: ReadonlyMap<string, WayFigures>): ReportTable => {
  const { bytes } = LOADS[load];
  return {
    title: `one way, ${formatNumber(bytes)} B${load === 'large' ? FEWER : ''}; *said*: what the report says`,
    heads: [
      'way',
      'messages',
      'per second',
      'least',
      'most',
      'MB/s',
      'said',
      'us of processors each',
      'peak over idle, MB',
      'said',
    ],
    rows: [...ways].map(([name, { throughput }]) => {
      const { messages, perSecond, megabytesPerSecond, cpuUs, memory } = throughput[load];
      const over = Math.max(...memory.map(({ before, peak }) => peak - before));
      return [
        name,
        formatNumber(messages),
        ...[perSecond.median, perSecond.min, perSecond.max, megabytesPerSecond.median].map((value) =>
          formatNumber(value),
        ),
        reported(REPORTED.throughput[load], name),
        cpuUs.median.toFixed(1),
        mb(over),
        reported(REPORTED.memory[load], name),
      ];
    }),
  };
};

const roundTripTable = (bytes: number, ways: ReadonlyMap<string, WayFigures>): ReportTable => ({
  title: `there and back, one at a time, ${formatNumber(bytes)} B${bytes > 983_040 ? FEWER : ''}, microseconds`,
  heads: ['way', 'min', 'p50', 'p95', 'p99', 'max'],
  rows: [
    ...[...ways].flatMap(([name, { roundTrips }]) => {
      const found = roundTrips[bytes];
      if (found === undefined) return [];
      const { minUs, p50Us, p95Us, p99Us, maxUs } = found;
      return [[name, ...[minUs, p50Us, p95Us, p99Us, maxUs].map(us)]];
    }),
    ['the report says', ...(REPORTED.roundTrips[bytes as 64] ?? '').split(' / ')],
  ],
});

const loggingTable = (logging: EventLogging): ReportTable => ({
  title: `one event of 256 B after the other, microseconds; the report: ${REPORTED.eventLogging}, target 10,000`,
  heads: ['logged by', 'events', 'mean', 'p50', 'p95', 'p99', 'max'],
  rows: Object.entries(logging).map(([name, { count, meanUs, p50Us, p95Us, p99Us, maxUs }]) => [
    name,
    formatNumber(count),
    ...[meanUs, p50Us, p95Us, p99Us, maxUs].map(us),
  ]),
});

const formatsTable = (bytes: number, formats: Readonly<Record<FormatName, FormatFigures>>): ReportTable => ({
  title: `a message with ${formatNumber(bytes)} B of random text in one process`,
  heads: ['format', 'bytes', 'written per second', 'read per second', 'the report says (write / read)'],
  rows: FORMAT_NAMES.map((name) => [
    name,
    formatNumber(formats[name].bytes),
    formatNumber(formats[name].writtenPerSecond.median),
    formatNumber(formats[name].readPerSecond.median),
    reported(REPORTED.formats[bytes as 256] ?? {}, name),
  ]),
});

const idleTable = (ways: ReadonlyMap<string, WayFigures>): ReportTable => ({
  title: 'while nothing is sent; all of a process, Node and its code included',
  heads: [
    'way',
    'processes',
    'MB each',
    '% of a core',
    'said',
    'MB more after the last round than after the first',
  ],
  rows: [...ways].map(([name, { idleBytes, idleCores, throughput }]) => {
    const { memory } = throughput.small;
    const grown = (memory.at(-1)?.after ?? 0) - (memory[0]?.after ?? 0);
    return [
      name,
      Object.keys(idleBytes).join(', '),
      Object.values(idleBytes).map(mb).join(', '),
      (idleCores * 100).toFixed(2),
      reported(REPORTED.idleCores, name),
      memory.length < 2 ? '' : mb(grown),
    ];
  }),
});

export const waysTables = (ways: ReadonlyMap<string, WayFigures>): readonly ReportTable[] => [
  throughputTable('small', ways),
  throughputTable('large', ways),
  ...ROUND_TRIPS.map(({ bytes }) => roundTripTable(bytes, ways)),
  idleTable(ways),
];

const patternsTable = (
  patterns: Readonly<Record<number, Readonly<Record<PatternName, PatternFigures>>>>,
): ReportTable => ({
  title:
    'messages a second between agents, each a durable command with its result; with 1,000 agents, all-to-all is each to 10 others',
  heads: ['pattern', ...SIZES.flatMap(({ agents }) => [`${formatNumber(agents)} agents`, 'said'])],
  rows: PATTERN_NAMES.map((name) => [
    name,
    ...SIZES.flatMap(({ agents }) => [
      formatNumber(patterns[agents]?.[name].perSecond ?? Number.NaN),
      reported(REPORTED.patterns[agents as 10] ?? {}, name),
    ]),
  ]),
});

/** The two figures that people ask for first. */
export const waysCharts = (ways: ReadonlyMap<string, WayFigures>): readonly ReportChart[] => [
  {
    name: 'throughput',
    title: 'Messages of 512 bytes from one process to another',
    unit: 'messages a second, more is better',
    scale: 'log',
    bars: [...ways].map(([label, { throughput }]) => ({ label, value: throughput.small.perSecond.median })),
  },
  {
    name: 'round-trip',
    title: 'There and back with 256 bytes, one at a time, p50',
    unit: 'microseconds, less is better',
    scale: 'log',
    bars: [...ways].map(([label, { roundTrips }]) => ({
      label,
      value: roundTrips[256]?.p50Us ?? Number.NaN,
    })),
  },
];

export { formatsTable, loggingTable, patternsTable };
