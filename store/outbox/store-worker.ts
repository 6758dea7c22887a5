import { runStore } from '../lmdb/run-store.js';
import { type OutboxChange, OutboxStore } from './outbox-store.js';

/** The thread that an outbox's files are written in. */
runStore((options: { readonly dir: string }, onDamaged) => {
  const store = new OutboxStore(options.dir, onDamaged);
  return {
    opened: store.stored,
    commit: (change: OutboxChange) => store.commit(change),
    close: () => store.close(),
  };
});
