import { runStore } from '../lmdb/run-store.js';
import { type IndexChange, IndexStore } from './index-store.js';

/** The thread that the index is written in. */
runStore(({ dir }: { readonly dir: string }) => {
  const store = new IndexStore(dir);
  return {
    opened: undefined,
    commit: (change: IndexChange) => store.commit(change),
    close: () => store.close(),
  };
});
