import { parentPort, workerData } from 'node:worker_threads';
import { makeDirs } from '../../system/files/make-dirs.js';
import { checkRoom } from './free-space.js';
import type { FromStore, ToStore } from './store-thread.js';

/** What a thread keeps. Throws what it cannot do. */
export interface Store<Change, Opened> {
  /** Found when it was opened. */
  readonly opened: Opened;
  readonly commit: (change: Change) => void;
  readonly close: () => Promise<void>;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * The program of a {@link StoreThread}: opens a store in a directory where there is room for it, and does as it is
 * told.
 */
export const runStore = <Options extends { readonly dir: string }, Change, Opened>(
  open: (options: Options, onDamaged: (reason: string) => void) => Store<Change, Opened>,
): void => {
  const port = parentPort;
  if (port === null) throw new Error('this is the program of a thread');
  const say = (message: FromStore<Opened>): void => port.postMessage(message);
  const attempt = (work: () => void, done: () => void): void => {
    try {
      work();
    } catch (error) {
      return say({ kind: 'failed', reason: messageOf(error) });
    }
    done();
  };

  const options = workerData as Options;
  let store: Store<Change, Opened> | undefined;
  attempt(
    () => {
      makeDirs(options.dir);
      checkRoom(options.dir);
      store = open(options, (reason) => say({ kind: 'damaged', reason }));
    },
    () => {
      const { opened, commit, close } = store as Store<Change, Opened>;
      port.on('message', (message: ToStore<Change>) => {
        if (message.kind === 'commit') {
          attempt(
            () => commit(message.change),
            () => say({ kind: 'committed' }),
          );
        } else void close().then(() => say({ kind: 'closed' }));
      });
      say({ kind: 'opened', opened });
    },
  );
};
