import Denque from 'denque';

/** Something with a size. */
interface Sized {
  readonly bytes: number;
}

/** Records that wait to be sent, in order, with what they weigh. */
export class AppendQueue<T extends Sized> {
  readonly #items = new Denque<T>();
  #bytes = 0;

  get length(): number {
    return this.#items.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get first(): T | undefined {
    return this.#items.peekFront();
  }

  push(item: T): void {
    this.#items.push(item);
    this.#bytes += item.bytes;
  }

  /** Puts items before all others, in their order. */
  putBack(items: readonly T[]): void {
    for (const item of items.toReversed()) {
      this.#items.unshift(item);
      this.#bytes += item.bytes;
    }
  }

  shift(): T | undefined {
    const item = this.#items.shift();
    this.#bytes -= item?.bytes ?? 0;
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
    const items = this.#items.toArray();
    this.#items.clear();
    this.#bytes = 0;
    return items;
  }
}
