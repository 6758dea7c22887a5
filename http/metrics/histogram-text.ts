/** What was counted with one set of labels. */
export interface HistogramSeries {
  /** Of names: none has a character that a label must escape. */
  readonly labels: Readonly<Record<string, string>>;
  /** How many values are in each bucket, without those of the bucket before. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

interface Beginnings {
  readonly buckets: readonly string[];
  readonly sum: string;
  readonly count: string;
}

/**
 * A histogram in the text format of Prometheus, of what the broker has counted. prom-client would count again, and make
 * each line out of its labels at each scrape: most lines of a scrape are buckets. Here a line has its begin from the
 * scrape before.
 */
export class HistogramText {
  #known = new Map<string, Beginnings>();

  constructor(
    private readonly name: string,
    private readonly help: string,
    /** The upper ends of the buckets, milliseconds. The last bucket has none. */
    private readonly endsMs: readonly number[],
  ) {}

  write(all: readonly HistogramSeries[]): string {
    const known = new Map<string, Beginnings>();
    const lines = [`# HELP ${this.name} ${this.help}`, `# TYPE ${this.name} histogram`];
    for (const { labels, counts, count, sum } of all) {
      const key = Object.values(labels).join(' ');
      const begin = this.#known.get(key) ?? this.#begin(labels);
      known.set(key, begin);
      let below = 0;
      for (let place = 0; place < this.endsMs.length; place++) {
        below += counts[place] ?? 0;
        lines.push(`${begin.buckets[place]}${below}`);
      }
      lines.push(
        `${begin.buckets[this.endsMs.length]}${count}`,
        `${begin.sum}${sum}`,
        `${begin.count}${count}`,
      );
    }
    // What is not shown any more is forgotten.
    this.#known = known;
    return lines.join('\n');
  }

  #begin(labels: HistogramSeries['labels']): Beginnings {
    const named = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
    const ends = [...this.endsMs.map((ms) => `${ms / 1_000}`), '+Inf'];
    return {
      buckets: ends.map((end) => `${this.name}_bucket{${[`le="${end}"`, ...named].join(',')}} `),
      sum: `${this.name}_sum{${named.join(',')}} `,
      count: `${this.name}_count{${named.join(',')}} `,
    };
  }
}
