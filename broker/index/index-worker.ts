import { runStore } from '../../store/lmdb/run-store.js';
import { type IndexChange, IndexStore } from './index-store.js';

export interface IndexWorkerOptions {
  readonly dir: string;
  /** Nobody closed the files that are there. */
  readonly wasKilled: boolean;
}

/** The thread that the index is written in. */
runStore(({ dir, wasKilled }: IndexWorkerOptions) => {
  const store = new IndexStore(dir, wasKilled);
  return {
    opened: undefined,
    commit: (change: IndexChange) => store.commit(change),
    close: () => store.close(),
  };
});
