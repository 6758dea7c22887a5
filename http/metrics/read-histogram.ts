export interface HistogramValue {
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

export const readHistogram = (name: string, help: string, values: readonly HistogramValue[]): ReadMetric => ({
  name,
  get: async () => ({ name, help, type: 'histogram', aggregator: 'sum', values }),
});
