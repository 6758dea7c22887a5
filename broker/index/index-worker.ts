import { runStore } from '../../store/lmdb/run-store.js';
import { type IndexChange, IndexStore } from './index-store.js';

export interface IndexWorkerOptions {
  readonly dir: string;
  /** The last process did not close the existing files. */
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
