import { useState } from 'preact/hooks';
import { pathOf } from '../api/api-client.js';
import { type PolledAnswer, useAnswer } from './use-answer.js';

export interface ListPage {
  readonly next: number | null;
}

/** One page of a list, and whether others are there. */
export interface PagesAnswer<P> extends PolledAnswer<P> {
  readonly isFirst: boolean;
  readonly hasNext: boolean;
  readonly toFirst: () => void;
  readonly toNext: () => void;
}

/** A list whose pages say where the next one begins, also if nothing is there: so the next one is looked at too. */
export const usePages = <P extends ListPage>(
  name: string,
  everyMs: number,
  countOf: (page: P) => number,
): PagesAnswer<P> => {
  const [from, setFrom] = useState<number>();
  const page = useAnswer<P>(pathOf([name], { from }), everyMs);
  const next = page.value?.next ?? undefined;
  const following = useAnswer<P>(next === undefined ? undefined : pathOf([name], { from: next }), everyMs);
  return {
    ...page,
    isFirst: from === undefined,
    hasNext: following.value !== undefined && countOf(following.value) > 0,
    toFirst: () => setFrom(undefined),
    toNext: () => setFrom(next),
  };
};
