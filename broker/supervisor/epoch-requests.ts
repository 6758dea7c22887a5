import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { StartReply, StartRequest } from '../../schemas/control.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { EPOCH_INTERVAL_MS, type EpochPace } from './epoch-pace.js';
import { pause } from '../../system/async/pause.js';
import { SerialQueue } from '../../system/async/serial-queue.js';

/** Requests that may wait for their turn; a program that asks faster is told to wait. */
const MAX_WAITING = 4;

const tooFast = (module: string, waiting: number): Fault => ({
  ...fault(
    'OVERLOADED',
    `${waiting} requests of ${module} for an epoch wait already; wait for their answers, or ask again in ${EPOCH_INTERVAL_MS} ms`,
  ),
  retryAfterMs: EPOCH_INTERVAL_MS,
});

/**
 * The requests of one module's processes for an epoch: served one after the other, no faster than {@link EpochPace}
 * says.
 */
export class EpochRequests {
  readonly #queue = new SerialQueue();
  /** The request that is served. */
  #asked:
    | { readonly instance: string | undefined; readonly reply: Promise<E.Either<Fault, StartReply>> }
    | undefined;

  constructor(
    private readonly module: string,
    private readonly pace: EpochPace,
  ) {}

  /**
   * `open` opens the epoch. A process that asks again while it is not answered has the answer that is under way:
   * nothing was begun with it.
   */
  request(
    { instance }: StartRequest,
    open: TaskEither<Fault, StartReply>,
  ): Promise<E.Either<Fault, StartReply>> {
    if (instance !== undefined && this.#asked?.instance === instance) return this.#asked.reply;
    const { length } = this.#queue;
    if (length >= MAX_WAITING) return Promise.resolve(E.left(tooFast(this.module, length)));
    const reply = this.#queue.run(async () => {
      const pauseMs = this.pace.take();
      if (pauseMs > 0) await pause(pauseMs, { ref: false });
      return open();
    });
    const asked = { instance, reply };
    this.#asked = asked;
    const forget = (): void => {
      if (this.#asked === asked) this.#asked = undefined;
    };
    reply.then(forget, forget);
    return reply;
  }
}
