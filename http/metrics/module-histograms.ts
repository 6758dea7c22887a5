import { CALL_BUCKETS_MS } from '../../schemas/call-latency.js';
import { type CommandTimes, TIME_BUCKETS_MS } from '../../schemas/command-times.js';
import type { ModuleStats } from '../../schemas/operate.js';
import { HistogramText } from './histogram-text.js';

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

/** How long callers waited, by module and action, and how long commands take, by module. */
export class ModuleHistograms {
  readonly #calls = new HistogramText(
    'tallystick_call_seconds',
    'Seconds from a call to its reply, since the module was loaded.',
    CALL_BUCKETS_MS,
  );
  readonly #times = WHAT.map(
    ([what, metric, help]) => [what, new HistogramText(metric, help, TIME_BUCKETS_MS)] as const,
  );

  write(stats: readonly ModuleStats[]): string {
    const calls = this.#calls.write(
      stats.flatMap(({ name: module, actions }) =>
        actions.map(({ action, calls: count, meanMs, waits = [] }) => ({
          labels: { module, action },
          counts: waits,
          count,
          sum: (meanMs * count) / 1_000,
        })),
      ),
    );
    // Since the process of the module started. A module in another language does not tell.
    const times = this.#times.map(([what, text]) =>
      text.write(
        stats.flatMap(({ name: module, times: told }) => {
          if (told === undefined) return [];
          const { counts, sumMs } = told[what];
          const count = counts.reduce((sum, each) => sum + each, 0);
          return [{ labels: { module }, counts, count, sum: sumMs / 1_000 }];
        }),
      ),
    );
    return [calls, ...times].join('\n\n');
  }
}
