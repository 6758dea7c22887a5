import { formatNumber } from '../../text/numbers.js';
import type { Measured } from '../bench/rounds.js';
import type { ReportChart, ReportTable } from '../bench/scenario.js';
import { BUSY } from '../calls/callees.js';
import type { CallFigures, FiguresByInFlight } from '../calls/measure-calls.js';
import { CALL_NOTES } from './call-notes.js';
import type { LogAbout, StoreLevel } from './log-contenders.js';
import { FLOOD, type LogFigures, PACED } from './measure-logs.js';

interface Found {
  readonly logs: readonly (readonly [LogAbout, LogFigures])[];
  readonly calls: ReadonlyMap<string, FiguresByInFlight>;
}

const LEVELS = ['fsync', 'os', 'none'] as const satisfies readonly StoreLevel[];

const byLevel = <T>(all: readonly T[], levelOf: (each: T) => StoreLevel): readonly T[] =>
  LEVELS.flatMap((level) => all.filter((each) => levelOf(each) === level));

/** Blank: it was not measured. */
const number = (value: number | undefined, digits = 0): string =>
  value === undefined ? '' : formatNumber(value, digits);
const spread = (found: Measured | undefined): readonly string[] =>
  found === undefined
    ? ['', '']
    : [formatNumber(found.median), `${formatNumber(found.min)} to ${formatNumber(found.max)}`];
const ms = (us: number): string => formatNumber(us / 1_000, 2);

const sortedLogs = ({ logs }: Found) => byLevel(logs, ([{ level }]) => level);
const sortedCalls = ({ calls }: Found) =>
  byLevel(
    [...calls].flatMap(([name, figures]) => {
      const about = CALL_NOTES[name];
      return about === undefined ? [] : [{ about, one: figures[1], busy: figures[BUSY] }];
    }),
    ({ about }) => about.level,
  );

const ingestTable = (found: Found): ReportTable => ({
  title: `ingest of 256 B: one record after the other, ms; then ${FLOOD.inFlight} batches of ${FLOOD.batch} under way, records a second`,
  heads: [
    'log',
    'stored',
    'p50',
    'p99',
    'records/s',
    'of the rounds',
    'batch p99, ms',
    'us of processors each',
  ],
  rows: sortedLogs(found).map(([{ name, level }, { one, batch, rounds }]) => [
    name,
    level,
    ms(one.p50Us),
    ms(one.p99Us),
    ...spread(rounds.ingestPerSecond),
    ms(batch.p99Us),
    number(rounds.ingestCpuUs.median, 1),
  ]),
});

const consumeTable = (found: Found): ReportTable => ({
  title: `consume: what was written, as fast as it goes; then from when a record was due to when another process has it, at ${PACED.perSecond} a second, ms`,
  heads: [
    'log',
    'stored',
    'records/s',
    'of the rounds',
    'us of processors each',
    'delivered p50',
    'p99',
    'max',
  ],
  rows: sortedLogs(found).map(([{ name, level }, { delivered, rounds }]) => [
    name,
    level,
    ...spread(rounds.consumePerSecond),
    number(rounds.consumeCpuUs?.median, 1),
    ms(delivered.p50Us),
    ms(delivered.p99Us),
    ms(delivered.maxUs),
  ]),
});

const cpuOf = ({ cpuUs }: CallFigures): number =>
  Object.values(cpuUs).reduce((sum, { median }) => sum + median, 0);

const callsTable = (found: Found): ReportTable => ({
  title: `durable calls: one at a time, and ${BUSY} in flight; ms`,
  heads: [
    'called',
    'stored',
    'p50',
    'p99',
    `calls/s at ${BUSY}`,
    'of the rounds',
    'p99',
    'us of processors each',
  ],
  rows: sortedCalls(found).map(({ about: { label, level }, one, busy }) => [
    label,
    level,
    number(one?.p50Ms.median, 2),
    number(one?.p99Ms.median, 2),
    ...(busy === undefined
      ? ['', '', '', '']
      : [...spread(busy.perSecond), number(busy.p99Ms.median, 1), number(cpuOf(busy))]),
  ]),
});

/** How many times better we are; below 1 the peer is ahead. */
const ratio = (own: number | undefined, peer: number | undefined): string => {
  const times = own === undefined || peer === undefined ? Number.NaN : own / peer;
  return Number.isFinite(times) ? `${times.toFixed(2)}${times < 1 ? ', behind' : ''}` : '';
};

const aheadOfLogs = (found: Found): ReportTable => ({
  title: 'Tallystick over each peer that stores as it does; above 1 Tallystick is ahead',
  heads: ['peer', 'stored', 'ingest p50', 'ingest records/s', 'consume records/s', 'delivered p50'],
  rows: sortedLogs(found).flatMap(([{ name, level, isOwn }, { rounds: peer }]) => {
    const own = found.logs.find(([about]) => about.isOwn && about.level === level)?.[1].rounds;
    if (isOwn || own === undefined) return [];
    return [
      [
        name,
        level,
        ratio(peer.oneP50Us.median, own.oneP50Us.median),
        ratio(own.ingestPerSecond.median, peer.ingestPerSecond.median),
        ratio(own.consumePerSecond?.median, peer.consumePerSecond?.median),
        ratio(peer.deliveredP50Us.median, own.deliveredP50Us.median),
      ],
    ];
  }),
});

const aheadOfCalls = (found: Found): ReportTable => {
  const all = sortedCalls(found);
  return {
    title: 'the same for durable calls',
    heads: ['peer', 'stored', 'p50', `calls/s at ${BUSY}`],
    rows: all.flatMap(({ about, one, busy }) => {
      const own = all.find((each) => each.about.isOwn === true && each.about.level === about.level);
      if (about.isOwn === true || own === undefined) return [];
      return [
        [
          about.label,
          about.level,
          ratio(one?.p50Ms.median, own.one?.p50Ms.median),
          ratio(own.busy?.perSecond.median, busy?.perSecond.median),
        ],
      ];
    }),
  };
};

const notesTable = (found: Found): ReportTable => ({
  title: 'what was set',
  heads: ['', 'is'],
  rows: [
    ...sortedLogs(found).map(([{ name, note }]) => [name, note]),
    ...sortedCalls(found).map(({ about }) => [`${about.label}, calls`, about.note]),
  ],
});

export const peersTables = (
  found: Found & { readonly leftOut: readonly string[] },
): readonly ReportTable[] => [
  ingestTable(found),
  consumeTable(found),
  callsTable(found),
  aheadOfLogs(found),
  aheadOfCalls(found),
  notesTable(found),
  ...(found.leftOut.length === 0
    ? []
    : [{ title: 'left out', heads: [''], rows: found.leftOut.map((line) => [line]) }]),
];

type ChartBar = ReportChart['bars'][number];

const chart = (name: string, title: string, unit: string, bars: readonly ChartBar[]): ReportChart => ({
  name,
  title,
  unit,
  scale: 'log',
  bars: bars.filter(({ value }) => Number.isFinite(value)),
});

const MORE = 'more is better; blue: Tallystick';
const LESS = 'less is better; blue: Tallystick';

export const peersCharts = (found: Found): readonly ReportChart[] => {
  const logBars = (pick: (figures: LogFigures) => number): readonly ChartBar[] =>
    sortedLogs(found).map(([{ name, isOwn }, figures]) => ({ label: name, value: pick(figures), isOwn }));
  const callBars = (
    pick: (one?: CallFigures, busy?: CallFigures) => number | undefined,
  ): readonly ChartBar[] =>
    sortedCalls(found).map(({ about: { label, level, isOwn = false }, one, busy }) => ({
      label: label.includes(' ') ? label : `${label}, ${level}`,
      value: pick(one, busy) ?? Number.NaN,
      isOwn,
    }));
  return [
    chart(
      'calls-rate',
      `Durable calls with ${BUSY} in flight`,
      `calls a second, ${MORE}`,
      callBars((_, busy) => busy?.perSecond.median),
    ),
    chart(
      'calls-p50',
      'A durable call, one at a time, p50',
      `milliseconds, ${LESS}`,
      callBars((one) => one?.p50Ms.median),
    ),
    chart(
      'ingest',
      'Ingest of 256 bytes, in batches',
      `records a second, ${MORE}`,
      logBars(({ rounds }) => rounds.ingestPerSecond.median),
    ),
    chart(
      'consume',
      'Read by one program whose position is kept',
      `records a second, ${MORE}`,
      logBars(({ rounds }) => rounds.consumePerSecond?.median ?? Number.NaN),
    ),
    chart(
      'delivered',
      `From one process to another, ${PACED.perSecond} records a second, p50`,
      `milliseconds, ${LESS}`,
      logBars(({ delivered }) => delivered.p50Us / 1_000),
    ),
  ];
};
