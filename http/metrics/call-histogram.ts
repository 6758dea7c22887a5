import { CALL_BUCKETS_MS } from '../../schemas/call-latency.js';
import type { ActionStats } from '../../schemas/operate.js';

interface HistogramValue {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A metric of prom-client that is not counted here: it shows what the broker has counted. */
export interface ReadMetric {
  readonly name: string;
  readonly get: () => Promise<{
    readonly name: string;
    readonly help: string;
    readonly type: 'histogram';
    readonly aggregator: 'sum';
    readonly values: readonly HistogramValue[];
  }>;
}

const NAME = 'tallystick_call_seconds';

const valuesOf = (module: string, { action, calls, meanMs, waits = [] }: ActionStats): HistogramValue[] => {
  const labels = { module, action };
  let below = 0;
  const buckets = CALL_BUCKETS_MS.map((most, place) => {
    below += waits[place] ?? 0;
    return { metricName: `${NAME}_bucket`, labels: { le: most / 1_000, ...labels }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${NAME}_bucket`, labels: { le: '+Inf', ...labels }, value: calls },
    { metricName: `${NAME}_sum`, labels, value: (meanMs * calls) / 1_000 },
    { metricName: `${NAME}_count`, labels, value: calls },
  ];
};

/** How long callers waited, by module and action. */
export const callHistogram = (
  modules: readonly { readonly name: string; readonly actions: readonly ActionStats[] }[],
): ReadMetric => ({
  name: NAME,
  get: async () => ({
    name: NAME,
    help: 'Seconds from a call to its reply, since the module was loaded.',
    type: 'histogram',
    aggregator: 'sum',
    values: modules.flatMap(({ name, actions }) => actions.flatMap((action) => valuesOf(name, action))),
  }),
});
