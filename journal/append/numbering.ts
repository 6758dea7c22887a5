/**
 * A producer's records have an order of acceptance over all its epochs, and a number within each epoch. Within
 * one epoch both rise together, but for orders that need no number any more: those were settled before it began.
 */
export interface NumberedRun {
  /** The first order of the run, and the number that it has. */
  readonly order: number;
  readonly n: number;
  /** How many follow each other; null: all that come. */
  readonly count: number | null;
}

/** The numbers that the records take which an epoch begins with, and all that come behind them from order `next` on. */
export const numberingOf = (orders: readonly number[], next: number): readonly NumberedRun[] => {
  const runs: { order: number; n: number; count: number | null }[] = [];
  for (const [index, order] of orders.entries()) {
    const last = runs.at(-1);
    if (last !== undefined && last.order + (last.count as number) === order)
      last.count = (last.count as number) + 1;
    else runs.push({ order, n: index + 1, count: 1 });
  }
  return [...runs, { order: next, n: orders.length + 1, count: null }];
};

const isWithin = (offset: number, { count }: NumberedRun): boolean =>
  offset >= 0 && (count === null || offset < count);

/** The number that an order has in the epoch; undefined: it was settled before. */
export const numberOf = (runs: readonly NumberedRun[], order: number): number | undefined => {
  const run = runs.find((candidate) => isWithin(order - candidate.order, candidate));
  return run === undefined ? undefined : run.n + order - run.order;
};

/** The inverse. */
export const orderOf = (runs: readonly NumberedRun[], n: number): number | undefined => {
  const run = runs.find((candidate) => isWithin(n - candidate.n, candidate));
  return run === undefined ? undefined : run.order + n - run.n;
};
