import type { NatsConnection, QueuedIterator, Status } from 'nats';

/** Whether a connection is up; {@link onChange} reports each change. */
export interface LinkState {
  readonly isUp: boolean;
  /** Calls back on each loss, recovery and close. Returns the function that ends that. */
  readonly onChange: (listener: () => void) => () => void;
  /**
   * Calls back once, with the reason: when the connection is lost, or soon if it is lost already. Then no server has
   * what is sent now. Returns the function that ends that.
   */
  readonly onLost: (listener: (why: string) => void) => () => void;
  /** The same also when replies are lost because the other end lost its own connection ({@link tellRepliesLost}). */
  readonly onRepliesLost: (listener: (why: string) => void) => () => void;
}

const LOST = 'the connection to the server was lost';

/** Listeners that are called back once. */
class Waiting {
  readonly #listeners = new Set<(why: string) => void>();

  constructor(private readonly isLost: () => boolean) {}

  add(listener: (why: string) => void): () => void {
    // Two that wait may be the same function.
    const own = (why: string): void => listener(why);
    this.#listeners.add(own);
    // Behind this turn: the listener's owner may still be in its constructor.
    if (this.isLost())
      queueMicrotask(() => {
        if (this.#listeners.delete(own)) own(LOST);
      });
    return () => {
      this.#listeners.delete(own);
    };
  }

  tell(why: string): void {
    for (const listener of [...this.#listeners]) if (this.#listeners.delete(listener)) listener(why);
  }
}

class WatchedLink implements LinkState {
  isUp: boolean;
  readonly #listeners = new Set<() => void>();
  readonly #lost = new Waiting(() => !this.isUp);
  readonly #repliesLost = new Waiting(() => !this.isUp);

  constructor(nc: NatsConnection) {
    this.isUp = !nc.isClosed();
    void this.#follow(nc);
  }

  readonly onChange: LinkState['onChange'] = (listener) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  readonly onLost: LinkState['onLost'] = (listener) => this.#lost.add(listener);

  readonly onRepliesLost: LinkState['onRepliesLost'] = (listener) => this.#repliesLost.add(listener);

  repliesLost(why: string): void {
    this.#repliesLost.tell(why);
  }

  async #follow(nc: NatsConnection): Promise<void> {
    for await (const status of nc.status() as QueuedIterator<Status>) {
      if (status.type === 'disconnect' || status.type === 'close') this.#set(false);
      else if (status.type === 'reconnect') this.#set(true);
    }
    this.#set(false);
  }

  #set(isUp: boolean): void {
    this.isUp = isUp;
    for (const listener of [...this.#listeners]) listener();
    if (isUp) return;
    this.#lost.tell(LOST);
    this.#repliesLost.tell(LOST);
  }
}

// One watcher for each connection, whatever the number of readers: each status iterator has its own queue.
const links = new WeakMap<NatsConnection, WatchedLink>();

const watched = (nc: NatsConnection): WatchedLink => {
  const known = links.get(nc);
  if (known !== undefined) return known;
  const made = new WatchedLink(nc);
  links.set(nc, made);
  return made;
};

export const linkState = (nc: NatsConnection): LinkState => watched(nc);

/**
 * The other end has lost its own connection, and has it again: replies that were on their way are gone. What waits for
 * one is to ask again.
 */
export const tellRepliesLost = (nc: NatsConnection, why: string): void => watched(nc).repliesLost(why);
