import { labelText, type MetricLabels } from './metric-text.js';

/** What was counted with one set of labels. */
export interface HistogramSeries {
  readonly labels: MetricLabels;
  /** How many values are in each bucket, without those of the bucket before. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

interface SeriesBegins {
  readonly buckets: readonly string[];
  readonly sum: string;
  readonly count: string;
}

interface WrittenSeries extends Pick<HistogramSeries, 'counts' | 'count' | 'sum'> {
  readonly begins: SeriesBegins;
  readonly text: string;
}

const isSame = (a: WrittenSeries, b: HistogramSeries): boolean =>
  a.count === b.count &&
  a.sum === b.sum &&
  a.counts.length === b.counts.length &&
  a.counts.every((count, place) => count === b.counts[place]);

/**
 * A histogram in the text format of Prometheus, of what the broker has counted. Most lines of a scrape are buckets: a
 * line has its begin from the scrape before, and a series that has counted nothing since has its text.
 */
export class HistogramText {
  #known = new Map<string, WrittenSeries>();

  constructor(
    private readonly name: string,
    private readonly help: string,
    /** The upper ends of the buckets, milliseconds. The last bucket has none. */
    private readonly endsMs: readonly number[],
  ) {}

  write(all: readonly HistogramSeries[]): string {
    const known = new Map<string, WrittenSeries>();
    let whole = `# HELP ${this.name} ${this.help}\n# TYPE ${this.name} histogram`;
    for (const series of all) {
      const key = Object.values(series.labels).join('\n');
      const before = this.#known.get(key);
      const written =
        before !== undefined && isSame(before, series)
          ? before
          : this.#written(series, before?.begins ?? this.#begin(series.labels));
      known.set(key, written);
      whole += written.text;
    }
    // What is not shown any more is forgotten.
    this.#known = known;
    return whole;
  }

  #written({ counts, count, sum }: HistogramSeries, begins: SeriesBegins): WrittenSeries {
    let text = '';
    let below = 0;
    for (let place = 0; place < this.endsMs.length; place++) {
      below += counts[place] ?? 0;
      text += `\n${begins.buckets[place]}${below}`;
    }
    text += `\n${begins.buckets[this.endsMs.length]}${count}\n${begins.sum}${sum}\n${begins.count}${count}`;
    return { counts, count, sum, begins, text };
  }

  #begin(labels: MetricLabels): SeriesBegins {
    const ends = [...this.endsMs.map((ms) => `${ms / 1_000}`), '+Inf'];
    return {
      buckets: ends.map((le) => `${this.name}_bucket${labelText({ le, ...labels })} `),
      sum: `${this.name}_sum${labelText(labels)} `,
      count: `${this.name}_count${labelText(labels)} `,
    };
  }
}
