import { runStore } from '../lmdb/run-store.js';
import type { Group } from './snapshot-group.js';
import { SnapshotStore } from './snapshot-store.js';

export interface SnapshotWorkerOptions {
  readonly dir: string;
  readonly mapBytes?: number;
}

/** The thread that a module's snapshots are written in. */
runStore(({ dir, mapBytes }: SnapshotWorkerOptions) => {
  const store = new SnapshotStore(dir, mapBytes);
  return {
    opened: store.position,
    commit: (group: Group) => store.commit(group),
    close: () => store.close(),
  };
});
