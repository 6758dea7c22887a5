/** Something with a size. */
interface Sized {
  readonly bytes: number;
}

/** Records that wait to be sent, in order, with what they weigh. */
export class AppendQueue<T extends Sized> {
  #items: T[] = [];
  #head = 0;
  #bytes = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  push(item: T): void {
    this.#items.push(item);
    this.#bytes += item.bytes;
  }

  /** Puts items before all others, in their order. */
  putBack(items: readonly T[]): void {
    this.#items = [...items, ...this.#items.slice(this.#head)];
    this.#head = 0;
    for (const { bytes } of items) this.#bytes += bytes;
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head += 1;
    this.#bytes -= item.bytes;
    // Shifting the array at every record would be quadratic; keeping what was sent would be a leak.
    if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** The first ones, at most so many and so heavy; always one, if there is one. */
  take(count: number, bytes: number): T[] {
    const taken: T[] = [];
    let weight = 0;
    while (taken.length < count && this.first !== undefined) {
      weight += this.first.bytes;
      if (taken.length > 0 && weight > bytes) break;
      taken.push(this.shift() as T);
    }
    return taken;
  }

  clear(): T[] {
    const items = this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    this.#bytes = 0;
    return items;
  }
}
