export type MetricLabels = Readonly<Record<string, string>>;

type MetricType = 'gauge' | 'counter';

interface MetricLine {
  readonly begin: string;
  /** Undefined: it was not told again, and is forgotten with the next scrape. */
  value: number | undefined;
  shown: number | undefined;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' };

const escaped = (value: string): string =>
  value.replace(/[\\\n"]/g, (character) => ESCAPES[character] as string);

/** Labels as the text format of Prometheus has them, with their braces; `''` without labels. */
export const labelText = (labels: MetricLabels): string => {
  const all = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return all.length === 0 ? '' : `{${all.join(',')}}`;
};

/** One metric: its name and help are there also without a value. */
class MetricFamily {
  readonly #lines = new Map<string, MetricLine>();
  readonly #head: string;
  #text: string;
  /** A line has come or gone. */
  #isOther = false;

  constructor(
    private readonly name: string,
    help: string,
    readonly type: MetricType,
  ) {
    this.#head = `# HELP ${name} ${help}\n# TYPE ${name} ${type}`;
    this.#text = this.#head;
  }

  set(labels: MetricLabels, value: number): void {
    this.#line(labels).value = value;
  }

  add(labels: MetricLabels, more: number): void {
    const line = this.#line(labels);
    line.value = (line.value ?? 0) + more;
  }

  /** The text, which is kept while no value changes. All values are forgotten. */
  write(): string {
    let isSame = !this.#isOther;
    for (const [key, line] of this.#lines) {
      if (line.value === undefined) this.#lines.delete(key);
      if (line.value !== line.shown) isSame = false;
      line.shown = line.value;
      line.value = undefined;
    }
    if (!isSame) {
      this.#text = this.#head;
      for (const { begin, shown } of this.#lines.values()) this.#text += `\n${begin}${shown}`;
    }
    this.#isOther = false;
    return this.#text;
  }

  #line(labels: MetricLabels): MetricLine {
    const key = Object.values(labels).join('\n');
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    const line: MetricLine = {
      begin: `${this.name}${labelText(labels)} `,
      value: undefined,
      shown: undefined,
    };
    this.#lines.set(key, line);
    this.#isOther = true;
    return line;
  }
}

/**
 * Metrics in the text format of Prometheus, each with a name and a help. A value that is not known is left out, and its
 * name is there all the same. Lines keep their begin from the scrape before, and metrics whose values are the same
 * their text: a scrape comes each second, and most of what it shows has not changed.
 */
export class MetricText {
  readonly #families = new Map<string, MetricFamily>();

  constructor(private readonly prefix: string) {}

  set(name: string, help: string, value: number | null | undefined, labels: MetricLabels = {}): void {
    const family = this.#family(name, help, 'gauge');
    if (value !== null && value !== undefined) family.set(labels, value);
  }

  /** The same of what only grows. */
  count(name: string, help: string, value: number | null | undefined, labels: MetricLabels = {}): void {
    const family = this.counter(name, help);
    if (value !== null && value !== undefined) family.add(labels, value);
  }

  /** It is in a scrape also before it has a value. */
  counter(name: string, help: string): Pick<MetricFamily, 'add'> {
    return this.#family(name, help, 'counter');
  }

  /** What was told since the last time. */
  write(): string {
    return [...this.#families.values()].map((family) => family.write()).join('\n\n');
  }

  #family(name: string, help: string, type: MetricType): MetricFamily {
    const known = this.#families.get(name);
    if (known !== undefined) return known;
    const family = new MetricFamily(this.prefix + name, help, type);
    this.#families.set(name, family);
    return family;
  }
}
