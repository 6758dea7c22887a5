/** A map that keeps what was put into it last. */
export class LatestMap<Value> {
  readonly #values = new Map<number, Value>();

  constructor(private readonly most: number) {}

  get(key: number): Value | undefined {
    return this.#values.get(key);
  }

  set(key: number, value: Value): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size <= this.most) return;
    const { value: oldest, done } = this.#values.keys().next();
    if (done !== true) this.#values.delete(oldest);
  }

  delete(key: number): void {
    this.#values.delete(key);
  }

  get size(): number {
    return this.#values.size;
  }

  /** The lowest of the keys; undefined: there is none. */
  lowest(): number | undefined {
    let lowest: number | undefined;
    for (const key of this.#values.keys()) if (lowest === undefined || key < lowest) lowest = key;
    return lowest;
  }
}
