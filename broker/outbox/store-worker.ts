import { mkdirSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { type Change, checkRoom, OutboxStore } from './outbox-store.js';
import type { FromStore, ToStore } from './store-thread.js';

/** The thread that an outbox's files are written in; what it is told and what it says is in store-thread.ts. */

const { dir } = workerData as { readonly dir: string };
const port = parentPort;
if (port === null) throw new Error('this is the program of a thread');

const say = (message: FromStore): void => port.postMessage(message);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const commit = (store: OutboxStore, change: Change): void => {
  try {
    store.commit(change);
    say({ kind: 'committed' });
  } catch (error) {
    say({ kind: 'failed', reason: messageOf(error) });
  }
};

try {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  checkRoom(dir);
  const store = new OutboxStore(dir, (reason) => say({ kind: 'damaged', reason }));
  port.on('message', (message: ToStore) => {
    if (message.kind === 'commit') return commit(store, message.change);
    void store.close().then(() => say({ kind: 'closed' }));
  });
  say({ kind: 'opened', stored: store.stored });
} catch (error) {
  say({ kind: 'failed', reason: messageOf(error) });
}
