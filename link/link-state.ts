import type { NatsConnection, QueuedIterator, Status } from 'nats';

/** Whether a connection is up; {@link onChange} reports each change. */
export interface LinkState {
  readonly isUp: boolean;
  /** Calls back on each loss, recovery and close. Returns the function that ends that. */
  readonly onChange: (listener: () => void) => () => void;
}

// One watcher for each connection, whatever the number of readers: each status iterator has its own queue.
const links = new WeakMap<NatsConnection, LinkState>();

const watch = (nc: NatsConnection): LinkState => {
  const listeners = new Set<() => void>();
  const state = {
    isUp: !nc.isClosed(),
    onChange: (listener: () => void) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
  const set = (isUp: boolean): void => {
    state.isUp = isUp;
    for (const listener of [...listeners]) listener();
  };
  void (async () => {
    for await (const status of nc.status() as QueuedIterator<Status>) {
      if (status.type === 'disconnect' || status.type === 'close') set(false);
      else if (status.type === 'reconnect') set(true);
    }
    set(false);
  })();
  return state;
};

export const linkState = (nc: NatsConnection): LinkState => {
  const known = links.get(nc);
  if (known !== undefined) return known;
  const made = watch(nc);
  links.set(nc, made);
  return made;
};
