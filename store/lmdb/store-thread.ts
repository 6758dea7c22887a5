import { Worker } from 'node:worker_threads';
import * as E from 'fp-ts/lib/Either.js';

export type ToStore<Change> =
  | { readonly kind: 'commit'; readonly change: Change }
  | { readonly kind: 'close' };

export type FromStore<Opened> =
  | { readonly kind: 'opened'; readonly opened: Opened }
  | { readonly kind: 'damaged' | 'failed'; readonly reason: string }
  | { readonly kind: 'committed' | 'closed' };

const ENDED = 'its thread has ended';

/**
 * The files of a database, in a separate thread: a commit may wait for the disk, and the thread that handles commands
 * must not. One request at a time. `program` is a file that calls {@link runStore}; what it is given and says is
 * cloned.
 */
export class StoreThread<Change, Opened> {
  #settle: (outcome: E.Either<string, void>) => void = () => undefined;
  #hasEnded = false;

  private constructor(
    private readonly worker: Worker,
    readonly opened: Opened,
  ) {
    worker.on('message', (message: FromStore<Opened>) => {
      if (message.kind === 'failed') this.#settle(E.left(message.reason));
      else this.#settle(E.right(undefined));
    });
    worker.on('exit', () => {
      this.#hasEnded = true;
      this.#settle(E.left(ENDED));
    });
  }

  /** Opens the files; the reason where that cannot be done. */
  static open<Change, Opened>(
    program: URL,
    options: object,
    onDamaged: (reason: string) => void,
  ): Promise<E.Either<string, StoreThread<Change, Opened>>> {
    const worker = new Worker(program, { workerData: options });
    return new Promise((resolve) => {
      const fail = (reason: string): void => {
        void worker.terminate();
        resolve(E.left(reason));
      };
      const listen = (message: FromStore<Opened>): void => {
        if (message.kind === 'damaged') return onDamaged(message.reason);
        worker.off('message', listen);
        if (message.kind === 'opened') resolve(E.right(new StoreThread(worker, message.opened)));
        else fail(message.kind === 'failed' ? message.reason : message.kind);
      };
      worker.on('message', listen);
      // It ends then, which is told by `exit` too.
      worker.on('error', (error) => fail(error.message));
    });
  }

  /** Resolves when it is committed. What is in `transfer` is the thread's from then on. */
  commit(change: Change, transfer: ArrayBuffer[] = []): Promise<E.Either<string, void>> {
    return this.#ask({ kind: 'commit', change }, transfer);
  }

  async close(): Promise<void> {
    await this.#ask({ kind: 'close' }, []);
    await this.worker.terminate();
  }

  #ask(message: ToStore<Change>, transfer: ArrayBuffer[]): Promise<E.Either<string, void>> {
    if (this.#hasEnded) return Promise.resolve(E.left(ENDED));
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.worker.postMessage(message, transfer);
    });
  }
}
