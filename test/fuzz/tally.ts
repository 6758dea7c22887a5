/** One thing that is wrong, and how to see it again. */
export interface Finding {
  readonly what: string;
  /** The inputs that it is about: one, or the thousand before it showed. */
  readonly repeat: string;
  readonly input?: string;
}

/** Of findings that say the same but for numbers and names, so many are kept. */
const KEPT_OF_ONE_SORT = 3;

const sortOf = ({ what }: Finding): string => what.replaceAll(/"[^"]*"|\d+/g, '#').slice(0, 120);

/** What a run came to: what was answered, by kind, and what was wrong. */
export class Tally {
  readonly findings: Finding[] = [];
  readonly #sorts = new Map<string, number>();
  readonly #outcomes = new Map<string, number>();
  inputs = 0;

  constructor(private readonly say: (line: string) => void) {}

  count(kind: string, outcome: string): void {
    const key = `${kind}\t${outcome}`;
    this.#outcomes.set(key, (this.#outcomes.get(key) ?? 0) + 1);
  }

  find(finding: Finding): void {
    const sort = sortOf(finding);
    const seen = (this.#sorts.get(sort) ?? 0) + 1;
    this.#sorts.set(sort, seen);
    if (seen > KEPT_OF_ONE_SORT) return;
    this.findings.push(finding);
    this.say(`FINDING ${finding.what}`);
    if (finding.input !== undefined) this.say(`  input:  ${finding.input}`);
    this.say(`  repeat: ${finding.repeat}`);
  }

  /** All findings, also those that are like others. */
  get total(): number {
    return [...this.#sorts.values()].reduce((sum, each) => sum + each, 0);
  }

  /** How the inputs of each kind ended, the most frequent first. */
  outcomeLines(): readonly string[] {
    const byKind = new Map<string, [string, number][]>();
    for (const [key, times] of this.#outcomes) {
      const [kind = '', outcome = ''] = key.split('\t');
      byKind.set(kind, [...(byKind.get(kind) ?? []), [outcome, times]]);
    }
    return [...byKind].map(([kind, outcomes]) => {
      const text = outcomes.toSorted((a, b) => b[1] - a[1]).map(([outcome, times]) => `${outcome} ${times}`);
      return `${kind}: ${text.join(', ')}`;
    });
  }
}
