import { Worker } from 'node:worker_threads';
import * as E from 'fp-ts/lib/Either.js';
import type { Change, Stored } from './outbox-store.js';

export type ToStore = { readonly kind: 'commit'; readonly change: Change } | { readonly kind: 'close' };

export type FromStore =
  | { readonly kind: 'opened'; readonly stored: Stored }
  | { readonly kind: 'damaged' | 'failed'; readonly reason: string }
  | { readonly kind: 'committed' | 'closed' };

const ENDED = 'its thread has ended';

/**
 * The files of an outbox, in a thread of their own: a commit waits for the disk, and whoever takes calls must not. One
 * request at a time.
 */
export class StoreThread {
  #settle: (outcome: E.Either<string, void>) => void = () => undefined;
  #hasEnded = false;

  private constructor(
    private readonly worker: Worker,
    readonly stored: Stored,
  ) {
    worker.on('message', (message: FromStore) => {
      if (message.kind === 'failed') this.#settle(E.left(message.reason));
      else this.#settle(E.right(undefined));
    });
    worker.on('exit', () => {
      this.#hasEnded = true;
      this.#settle(E.left(ENDED));
    });
  }

  /** Opens the files; the reason where that cannot be done. */
  static open(dir: string, onDamaged: (reason: string) => void): Promise<E.Either<string, StoreThread>> {
    const worker = new Worker(new URL('./store-worker.js', import.meta.url), { workerData: { dir } });
    return new Promise((resolve) => {
      const fail = (reason: string): void => {
        void worker.terminate();
        resolve(E.left(reason));
      };
      const listen = (message: FromStore): void => {
        if (message.kind === 'damaged') return onDamaged(message.reason);
        worker.off('message', listen);
        if (message.kind === 'opened') resolve(E.right(new StoreThread(worker, message.stored)));
        else fail(message.kind === 'failed' ? message.reason : message.kind);
      };
      worker.on('message', listen);
      // It ends then, which is told by `exit` too.
      worker.on('error', (error) => fail(error.message));
    });
  }

  commit(change: Change): Promise<E.Either<string, void>> {
    return this.#ask({ kind: 'commit', change });
  }

  async close(): Promise<void> {
    await this.#ask({ kind: 'close' });
    await this.worker.terminate();
  }

  #ask(message: ToStore): Promise<E.Either<string, void>> {
    if (this.#hasEnded) return Promise.resolve(E.left(ENDED));
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.worker.postMessage(message);
    });
  }
}
