import { type CommandTimes, TIME_BUCKETS_MS, type TimeCounts } from '../../schemas/command-times.js';
import type { ModuleStats } from '../../schemas/operate.js';
import { type HistogramValue, type ReadMetric, readHistogram } from './read-histogram.js';

const WHAT: readonly (readonly [name: keyof CommandTimes, metric: string, help: string])[] = [
  [
    'routing',
    'tallystick_routing_seconds',
    'Seconds from a command in the log to its delivery to the module.',
  ],
  [
    'processing',
    'tallystick_processing_seconds',
    'Seconds from the begin of a handler to its stored result.',
  ],
  ['whole', 'tallystick_command_seconds', 'Seconds from a command in the log to its stored result.'],
];

const valuesOf = (
  metric: string,
  module: string,
  { counts, sumMs }: TimeCounts,
): readonly HistogramValue[] => {
  const labels = { module };
  let below = 0;
  const buckets = counts.map((count, place): HistogramValue => {
    below += count;
    const most = TIME_BUCKETS_MS[place];
    const le = most === undefined ? '+Inf' : most / 1_000;
    return { metricName: `${metric}_bucket`, labels: { le, ...labels }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${metric}_sum`, labels, value: sumMs / 1_000 },
    { metricName: `${metric}_count`, labels, value: below },
  ];
};

/** How long commands take, by module, since its process started. A module in another language does not tell. */
export const timeHistograms = (stats: readonly ModuleStats[]): readonly ReadMetric[] =>
  WHAT.map(([what, metric, help]) =>
    readHistogram(
      metric,
      help,
      stats.flatMap(({ name, times }) => (times === undefined ? [] : valuesOf(metric, name, times[what]))),
    ),
  );
