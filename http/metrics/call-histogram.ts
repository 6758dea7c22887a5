import { CALL_BUCKETS_MS } from '../../schemas/call-latency.js';
import type { ActionStats } from '../../schemas/operate.js';
import { type HistogramValue, type ReadMetric, readHistogram } from './read-histogram.js';

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
): ReadMetric =>
  readHistogram(
    NAME,
    'Seconds from a call to its reply, since the module was loaded.',
    modules.flatMap(({ name, actions }) => actions.flatMap((action) => valuesOf(name, action))),
  );
