interface Entry<Value> {
  value: Value;
  /** What it takes, roughly. */
  bytes: number;
  /** Not in the snapshots as it is here. */
  isDirty: boolean;
}

const MAX_BYTES = 32 * 1024 * 1024;
/** A key, an entry and a small object of a state; also what a state is taken for before its size is known. */
const OVERHEAD_BYTES = 400;
/** Dirty ones may be the oldest: no more than so many are passed over to find one that can go. */
const MAX_PASSED = 64;

/**
 * States in memory. Those that were not used for longest go when there are too many, for their snapshots have them; what
 * the snapshots do not have yet stays.
 */
export class Held<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  #bytes = 0;

  constructor(private readonly maxBytes = MAX_BYTES) {}

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    // A Map keeps the order of insertion: the first is the one that was not used for longest.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** As {@link get}, without counting as use. */
  peek(key: string): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Takes in what a snapshot has. */
  set(key: string, value: Value): void {
    this.#put(key, { value, bytes: OVERHEAD_BYTES, isDirty: false });
    this.#shrink();
  }

  /** Takes in what no snapshot has. */
  change(key: string, value: Value): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) this.#put(key, { value, bytes: OVERHEAD_BYTES, isDirty: true });
    else {
      entry.value = value;
      entry.isDirty = true;
    }
  }

  /** The snapshots have this as it is here, and it has so many bytes there. */
  saved(key: string, bytes: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#bytes += OVERHEAD_BYTES + bytes - entry.bytes;
    entry.bytes = OVERHEAD_BYTES + bytes;
    entry.isDirty = false;
    this.#shrink();
  }

  #put(key: string, entry: Entry<Value>): void {
    this.#bytes += entry.bytes - (this.#entries.get(key)?.bytes ?? 0);
    this.#entries.set(key, entry);
  }

  #shrink(): void {
    let passed = 0;
    for (const [key, { bytes, isDirty }] of this.#entries) {
      if (this.#bytes <= this.maxBytes || passed > MAX_PASSED) return;
      if (isDirty) {
        passed += 1;
        continue;
      }
      this.#entries.delete(key);
      this.#bytes -= bytes;
    }
  }
}
