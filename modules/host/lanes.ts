/** One step of work with an item; calls `done` when the next of its lane may begin. */
export type Step<T> = (item: T, done: () => void) => void;

/** Where items lie that are far down a lane. */
export interface Shelf<T> {
  /** Puts an item aside; gives its place, or undefined where it cannot. */
  readonly put: (item: T) => number | undefined;
  /** Takes an item from its place, once; undefined when no item may be taken any more. */
  readonly take: (place: number) => T | undefined;
}

/** Items of one lane that are kept in memory; those behind them go to the shelf. */
export const KEPT = 64;

interface Lane<T> {
  /** In order. A number is a place on the shelf. */
  waiting: (T | number)[];
  head: number;
}

/**
 * A lane an agent: items of one lane are worked on one at a time in the order they came (I5), those of different lanes side by
 * side. A long lane has only its first items in memory, so that it leaves room for the other lanes.
 */
export class Lanes<T extends object> {
  readonly #lanes = new Map<string, Lane<T>>();
  #shelved = 0;
  #stopped = false;

  constructor(
    private readonly step: Step<T>,
    private readonly shelf?: Shelf<T>,
  ) {}

  /** Lanes in which something runs. */
  get busy(): number {
    return this.#lanes.size;
  }

  /** Items that lie on the shelf. */
  get shelved(): number {
    return this.#shelved;
  }

  add(name: string, item: T): void {
    const lane = this.#lanes.get(name);
    if (lane !== undefined) {
      lane.waiting.push(this.#kept(lane, item));
      return;
    }
    this.#lanes.set(name, { waiting: [], head: 0 });
    this.#run(name, item);
  }

  /** Begins no further step. */
  stop(): void {
    this.#stopped = true;
  }

  #kept({ waiting, head }: Lane<T>, item: T): T | number {
    if (waiting.length - head < KEPT) return item;
    const place = this.shelf?.put(item);
    if (place === undefined) return item;
    this.#shelved += 1;
    return place;
  }

  #next(name: string): T | undefined {
    const lane = this.#lanes.get(name);
    const next = lane?.waiting[lane.head];
    if (lane === undefined || next === undefined) return undefined;
    lane.head += 1;
    // Shifting the array each time would be quadratic; keeping what was taken would be a leak.
    if (lane.head > KEPT && lane.head * 2 > lane.waiting.length) {
      lane.waiting = lane.waiting.slice(lane.head);
      lane.head = 0;
    }
    if (typeof next !== 'number') return next;
    this.#shelved -= 1;
    return this.shelf?.take(next);
  }

  #run(name: string, item: T): void {
    if (this.#stopped) {
      this.#lanes.delete(name);
      return;
    }
    let finished = false;
    this.step(item, () => {
      if (finished) return;
      finished = true;
      const next = this.#stopped ? undefined : this.#next(name);
      if (next === undefined) this.#lanes.delete(name);
      // A lane of many steps that finish at once must not grow the stack.
      else queueMicrotask(() => this.#run(name, next));
    });
  }
}
