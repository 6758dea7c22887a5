import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { type ListPage, usePages } from '../state/use-pages.js';
import { Empty, ProblemNotice } from './notice.js';
import { Pager } from './pager.js';

const EVERY_MS = 5_000;

interface CardProps {
  readonly title: ComponentChildren;
  /** What the card is about, in the names of its buttons. */
  readonly of: string;
  readonly action: ComponentChildren;
  /** Asked for when a person opens the card. */
  readonly details: () => ComponentChildren;
  readonly children: ComponentChildren;
}

/** One thing of a list: a few lines, what a person can do with it, and details behind a button. */
export const Card = ({ title, of, action, details, children }: CardProps) => {
  const [isOpen, setOpen] = useState(false);
  return (
    <li class="card">
      <h3>{title}</h3>
      {children}
      <div class="actions">
        <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'Hide' : 'Show'}
          <span class="unseen"> {of}</span>
        </button>
        {action}
      </div>
      {isOpen && details()}
    </li>
  );
};

interface CardListProps<P, Item> {
  /** Of the list in paths. */
  readonly name: string;
  readonly title: string;
  readonly none: string;
  readonly itemsOf: (page: P) => readonly Item[];
  readonly cardOf: (item: Item, changed: () => void) => ComponentChildren;
}

/** A list of the broker by pages, a card for each thing. */
export const CardList = <P extends ListPage, Item>({
  name,
  title,
  none,
  itemsOf,
  cardOf,
}: CardListProps<P, Item>) => {
  const pages = usePages<P>(name, EVERY_MS, (page) => itemsOf(page).length);
  const { value, problem, again } = pages;
  const items = value === undefined ? undefined : itemsOf(value);
  return (
    <section aria-labelledby={`${name}-name`}>
      <h2 id={`${name}-name`}>{title}</h2>
      <ProblemNotice problem={problem} />
      {items?.length === 0 && <Empty>{none}</Empty>}
      <ul class="cards">{items?.map((item) => cardOf(item, again))}</ul>
      <Pager of={title.toLowerCase()} pages={pages} />
    </section>
  );
};
