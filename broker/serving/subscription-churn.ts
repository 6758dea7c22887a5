import { everyOnGrid } from '../../system/async/grid.js';
import { pause } from '../../system/async/pause.js';

/** A connection, as far as it tells who makes subscriptions and ends them. */
export interface ReportedConnection {
  readonly cid: number;
  /** When the server read a message or a subscription of it last. */
  readonly lastActivity: string;
  /** Messages that it has sent. */
  readonly sent: number;
}

export interface SubscriptionChurnOptions {
  /** Subscriptions that were ever made in an account, or in all. Rejects if the server does not tell. */
  readonly made: (account?: string) => Promise<number>;
  /** Accounts with connections. */
  readonly accounts: () => readonly string[];
  readonly connections: (account: string) => Promise<readonly ReportedConnection[]>;
  /** Cuts off a module, or these connections of another account. */
  readonly cut: (account: string, connections: readonly number[], what: string) => void;
  /** Between two samples, milliseconds. */
  readonly sampleMs?: number;
}

/** New subscriptions of an account in a second. A client that makes one for each request makes fewer. */
export const MOST_SUBSCRIPTIONS = 5_000;
const LOOK_MS = 2_000;
const SAMPLE_MS = 250;
/** A client that sends requests now and then is not active between each two of them. */
const LISTS = 4;
/** Without an end to it, one more sample may find what a cut has not ended. */
const MOST_ROUNDS = 100;

interface Count {
  readonly at: number;
  readonly made: number;
}

const perSecond = (before: Count, after: Count): number =>
  // A server that read its accounts again counts from the beginning.
  Math.max(0, after.made - before.made) / Math.max(0.001, (after.at - before.at) / 1_000);

/**
 * Who of an account makes the subscriptions: one that the server reads something of between each two lists. The server
 * does not count subscriptions by connection, so of several it is the one that has sent the fewest messages meanwhile.
 */
export const churners = (lists: readonly (readonly ReportedConnection[])[]): readonly number[] => {
  const [first = new Map<number, ReportedConnection>(), ...others] = lists.map(
    (list) => new Map(list.map((each) => [each.cid, each])),
  );
  const active = [...first.values()].flatMap(({ cid, lastActivity, sent }) => {
    let [at, last]: [string | undefined, number] = [lastActivity, sent];
    for (const list of others) {
      const now = list.get(cid);
      if (now === undefined || now.lastActivity === at) return [];
      [at, last] = [now.lastActivity, now.sent];
    }
    return [{ cid, sent: last - sent }];
  });
  const fewest = Math.min(...active.map(({ sent }) => sent));
  return active.filter(({ sent }) => sent === fewest).map(({ cid }) => cid);
};

/**
 * Finds clients that make subscriptions and end them without a pause. The server counts those that were ever made, by
 * account. A look asks for one number; only if that has grown much, each account is looked at.
 */
export class SubscriptionChurn {
  readonly #ends: () => void;
  #last: Count | undefined;
  #isSearching = false;
  #isClosed = false;

  constructor(private readonly options: SubscriptionChurnOptions) {
    this.#ends = everyOnGrid(LOOK_MS, () => void this.look());
  }

  close(): void {
    this.#isClosed = true;
    this.#ends();
  }

  async look(): Promise<void> {
    if (this.#isSearching) return;
    this.#isSearching = true;
    try {
      const now = await this.#count();
      const before = this.#last;
      this.#last = now;
      if (before === undefined || perSecond(before, now) <= MOST_SUBSCRIPTIONS) return;
      for (let round = 0; round < MOST_ROUNDS && !this.#isClosed; round += 1)
        if (!(await this.#search())) return;
    } catch {
      // A server that does not tell is asked again at the next look.
    } finally {
      this.#isSearching = false;
    }
  }

  async #count(account?: string): Promise<Count> {
    const made = await this.options.made(account);
    return { at: performance.now(), made };
  }

  /** Whether an account makes too many. */
  async #search(): Promise<boolean> {
    const { accounts, connections, cut } = this.options;
    const names = accounts();
    const before = await Promise.all(names.map((name) => this.#count(name)));
    await this.#sampled();
    const after = await Promise.all(names.map((name) => this.#count(name)));
    const busy = names.filter(
      (_, i) => perSecond(before[i] as Count, after[i] as Count) > MOST_SUBSCRIPTIONS,
    );
    for (const account of busy) {
      const lists = [await connections(account)];
      while (lists.length < LISTS) {
        await this.#sampled();
        lists.push(await connections(account));
      }
      const who = churners(lists);
      cut(account, who, `${MOST_SUBSCRIPTIONS} subscriptions`);
    }
    return busy.length > 0;
  }

  #sampled(): Promise<void> {
    return pause(this.options.sampleMs ?? SAMPLE_MS, { ref: false });
  }
}
