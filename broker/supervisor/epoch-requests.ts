import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { StartReply, StartRequest } from '../../schemas/control.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { EPOCH_INTERVAL_MS, type EpochPace } from './epoch-pace.js';

/** Requests that may wait for their turn; a program that asks faster is told to wait. */
const MAX_WAITING = 4;

const pause = (ms: number): Promise<void> =>
  ms <= 0 ? Promise.resolve() : new Promise((resume) => setTimeout(resume, ms).unref());

const tooFast = (module: string, waiting: number): Fault => ({
  ...fault(
    'OVERLOADED',
    `${waiting} requests of ${module} for an epoch wait already; wait for their answers, or ask again in ${EPOCH_INTERVAL_MS} ms`,
  ),
  retryAfterMs: EPOCH_INTERVAL_MS,
});

/** The requests of one module's processes for an epoch: served one after the other, no faster than {@link EpochPace} says. */
export class EpochRequests {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** The request that is served. */
  #asked:
    | { readonly instance: string | undefined; readonly reply: Promise<E.Either<Fault, StartReply>> }
    | undefined;

  constructor(
    private readonly module: string,
    private readonly pace: EpochPace,
  ) {}

  /**
   * `open` opens the epoch. A process that asks again while it is not answered has the answer that is under way: nothing was
   * begun with it.
   */
  request(
    { instance }: StartRequest,
    open: TaskEither<Fault, StartReply>,
  ): Promise<E.Either<Fault, StartReply>> {
    if (instance !== undefined && this.#asked?.instance === instance) return this.#asked.reply;
    if (this.#waiting >= MAX_WAITING) return Promise.resolve(E.left(tooFast(this.module, this.#waiting)));
    this.#waiting += 1;
    const reply = this.#last.then(async () => {
      await pause(this.pace.take());
      return open();
    });
    const asked = { instance, reply };
    this.#asked = asked;
    this.#last = reply
      .catch(() => undefined)
      .finally(() => {
        this.#waiting -= 1;
        if (this.#asked === asked) this.#asked = undefined;
      });
    return reply;
  }
}
