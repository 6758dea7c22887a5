import { join } from 'node:path';
import { limitsOf } from '../../schemas/manifest.js';
import { freeRoom, takenRoom } from '../../system/files/disk-room.js';
import { ResourceWatch } from './resource-watch.js';
import type { SupervisedModules } from './supervised-modules.js';

/** Looks after what the processes of all modules take of the machine. */
export const watchResources = (
  dataDir: string,
  modules: Pick<SupervisedModules, 'all'>,
  cut: (module: string, what: string) => void,
): ResourceWatch =>
  new ResourceWatch({
    modules: () =>
      [...modules.all()].flatMap(({ name, pid, manifest }) => {
        const dirs = ['snapshots', 'temporary'].map((each) => join(dataDir, each, name));
        return pid === null ? [] : [{ name, pid, heapMb: limitsOf(manifest).heapMb, dirs }];
      }),
    free: () => freeRoom(dataDir),
    taken: takenRoom,
    cut,
  });
