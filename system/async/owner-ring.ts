import Denque from 'denque';

/**
 * What waits for its turn, by its owner: each owner has one turn, then the next owner has one. What an owner has
 * waits for at most one turn of each other owner between two turns, however much those have. The items of an owner
 * keep their order.
 */
export class OwnerRing<T> {
  /** In the order of turns: who had one is behind all others. An owner without items is not here. */
  readonly #owners = new Map<string, Denque<T>>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Whether this owner waits. */
  has(owner: string): boolean {
    return this.#owners.has(owner);
  }

  add(owner: string, item: T): void {
    const items = this.#owners.get(owner);
    if (items === undefined) this.#owners.set(owner, new Denque([item]));
    else items.push(item);
    this.#length += 1;
  }

  /** The first item of the owner whose turn it is. */
  take(): T | undefined {
    for (const [owner, items] of this.#owners) {
      const item = items.shift();
      // With one owner there is no turn to pass on: the most common case by far.
      if (items.isEmpty()) this.#owners.delete(owner);
      else if (this.#owners.size > 1) {
        this.#owners.delete(owner);
        this.#owners.set(owner, items);
      }
      this.#length -= 1;
      return item;
    }
    return undefined;
  }

  /** The first item that is meant, of the owners in the order of their turns; it costs no owner a turn. */
  takeFirst(isMeant: (item: T) => boolean): T | undefined {
    for (const [owner, items] of this.#owners) {
      for (let i = 0; i < items.length; i++) {
        if (!isMeant(items.peekAt(i) as T)) continue;
        const item = items.removeOne(i);
        if (items.isEmpty()) this.#owners.delete(owner);
        this.#length -= 1;
        return item;
      }
    }
    return undefined;
  }

  /** Takes all: of each owner in its order. */
  clear(): readonly T[] {
    const all = [...this.#owners.values()].flatMap((items) => items.toArray());
    this.#owners.clear();
    this.#length = 0;
    return all;
  }
}
