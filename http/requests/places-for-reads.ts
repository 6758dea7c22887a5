import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';

/** How many at a time. */
export interface MostReads {
  readonly all: number;
  readonly each: number;
}

/**
 * Places for what costs memory or time of this process: one who asks gets some of them, so that others find one. With
 * all of them taken, the answer is OVERLOADED, which is 429 with `Retry-After`.
 */
export class PlacesForReads {
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(
    private readonly what: string,
    private readonly most: MostReads,
  ) {}

  /** Takes a place; what it gives frees the place, once. */
  take(who = ''): E.Either<Fault, () => void> {
    const mine = this.#taken.get(who) ?? 0;
    if (this.#all >= this.most.all || mine >= this.most.each)
      return E.left(fault('OVERLOADED', `too many ${this.what} are open; try again in 1 s`));
    this.#all += 1;
    this.#taken.set(who, mine + 1);
    let isMine = true;
    return E.right(() => {
      if (!isMine) return;
      isMine = false;
      this.#all -= 1;
      const left = (this.#taken.get(who) ?? 1) - 1;
      if (left === 0) this.#taken.delete(who);
      else this.#taken.set(who, left);
    });
  }

  /** Holds a place while the work goes on. */
  within =
    (who?: string) =>
    <A>(work: TaskEither<Fault, A>): TaskEither<Fault, A> =>
    async () => {
      const place = this.take(who);
      if (E.isLeft(place)) return place;
      try {
        return await work();
      } finally {
        place.right();
      }
    };
}
