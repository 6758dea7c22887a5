import { LIVE } from '../../schemas/live.js';
import { TAKEOVER } from './live-message.js';
import { SubjectSet } from './subject-set.js';

/** What the server tells of the subscriptions in the account of the log. */
export interface AccountSubscriptions {
  readonly server_id?: string;
  /** Subscriptions that were ever made, and ended. */
  readonly num_inserts?: number;
  readonly num_removes?: number;
  /** How many there are. Only if the list was asked for. */
  readonly total?: number;
  readonly subscriptions_list?: readonly { readonly subject?: string }[];
}

/** A reload of the server's accounts starts its counters again. By chance they may then be those of before. */
const LIST_EVERY = 50;
/** The server lists so many at a time. If there are more, somebody listens to everything, as far as we know. */
const MOST_LISTED = 1_024;

/**
 * Who listens to `live.…`, as the server knows it: a subscription of another account that comes in by the import of
 * `live.>` is one in the account of the log too. A look costs the server 0.1 ms. The list is asked for only when a
 * subscription came or went, and now and then.
 */
export class LiveInterest {
  #known = SubjectSet.none;
  #state = '';
  #unlisted = 0;

  constructor(private readonly ask: (isListed: boolean) => Promise<AccountSubscriptions>) {}

  /** The subjects of records that somebody listens to now; the same object if nothing has changed. */
  async look(): Promise<SubjectSet> {
    if (this.#unlisted < LIST_EVERY && stateOf(await this.ask(false)) === this.#state) {
      this.#unlisted += 1;
      return this.#known;
    }
    const listed = await this.ask(true);
    this.#unlisted = 0;
    const { total = 0, subscriptions_list: all = [] } = listed;
    const wanted = all.flatMap(({ subject }) => recordsOf(subject));
    this.#known =
      total > MOST_LISTED ? SubjectSet.all : new SubjectSet(wanted.filter((each) => each !== TAKEOVER));
    this.#state = stateOf(listed);
    return this.#known;
  }
}

const stateOf = ({ server_id, num_inserts, num_removes }: AccountSubscriptions): string =>
  `${server_id} ${num_inserts} ${num_removes}`;

/** The filter of records that a filter of live messages means. */
const recordsOf = (filter = ''): readonly string[] => {
  if (filter === '>') return ['>'];
  const [first = ''] = filter.split('.', 1);
  return filter.startsWith(LIVE) || filter.startsWith('*.') ? [filter.slice(first.length + 1)] : [];
};
