import type { Finding, FindingKind } from '../../schemas/verification.js';

/** So many are listed; all are counted. */
export const LISTED_FINDINGS = 1_000;

/** Takes what checks find: lists the first, counts all. */
export class Findings {
  readonly #counts = new Map<FindingKind, number>();
  readonly #listed: Finding[] = [];
  #total = 0;

  constructor(private readonly limit = LISTED_FINDINGS) {}

  get total(): number {
    return this.#total;
  }

  get listed(): readonly Finding[] {
    return this.#listed;
  }

  of(kind: FindingKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** `detail` is only asked for what is listed: of a log that is wrong in every record, most is not. */
  add(kind: FindingKind, seq: number, producer: string, detail: string | (() => string)): void {
    this.#counts.set(kind, this.of(kind) + 1);
    this.#total += 1;
    if (this.#listed.length >= this.limit) return;
    this.#listed.push({ kind, seq, producer, detail: typeof detail === 'string' ? detail : detail() });
  }
}
