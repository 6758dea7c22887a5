export interface ShownPage {
  readonly shown: number;
  readonly count: number;
  /** Plural noun: `agents`. */
  readonly what: string;
  /** With `--after`, the next page begins behind it; null: this page is the last one. */
  readonly next: string | number | null;
}

/** The line below the table of one page: `100 of 250 agents; the next: --after bob`. */
export const pageLine = ({ shown, count, what, next }: ShownPage): string =>
  `${shown} of ${count} ${what}${next === null ? '' : `; the next: --after ${next}`}`;
