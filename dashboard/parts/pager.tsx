import type { PagesAnswer } from '../state/use-pages.js';

interface PagerProps {
  readonly of: string;
  readonly pages: PagesAnswer<unknown>;
}

/** Goes through the pages of a list. */
export const Pager = ({ of, pages: { isFirst, hasNext, toFirst, toNext } }: PagerProps) => (
  <div class="actions">
    {!isFirst && (
      <button type="button" onClick={toFirst}>
        First page of {of}
      </button>
    )}
    {hasNext && (
      <button type="button" onClick={toNext}>
        Next page of {of}
      </button>
    )}
  </div>
);
