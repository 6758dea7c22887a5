const PAGE = 512;
/** Empty pages that are kept. */
const FREE = 256;

interface Page {
  readonly values: Float64Array;
  /** Empty where there are no details. */
  readonly details: Float64Array;
  set: number;
}

/** Sequences above this are divided as doubles. */
const MAX_INT = 0x7fff_ffff;
const pageOf = (seq: number): number => (seq <= MAX_INT ? seq >> 9 : Math.floor(seq / PAGE));

/**
 * A number for some sequences, and a detail of it, in pages that go when nothing is left in them: what is open at a
 * time costs memory, not how long the log is. 0 stands for nothing.
 */
export class SequencePages {
  readonly #pages = new Map<number, Page>();
  /** Empty pages to be used again: pages come and go with the commands, and making one is slow. */
  readonly #free: Page[] = [];
  #lastIndex = -1;
  #last: Page | undefined;
  #size = 0;

  constructor(private readonly hasDetails = false) {}

  /** How many are set. */
  get size(): number {
    return this.#size;
  }

  get(seq: number): number {
    return this.#page(pageOf(seq))?.values[seq % PAGE] ?? 0;
  }

  detail(seq: number): number {
    return this.#page(pageOf(seq))?.details[seq % PAGE] ?? 0;
  }

  /** Sets what is not set yet. */
  set(seq: number, value: number, detail = 0): void {
    const index = pageOf(seq);
    let page = this.#page(index);
    if (page === undefined) {
      page = this.#free.pop() ?? this.#make();
      this.#pages.set(index, page);
      this.#lastIndex = index;
      this.#last = page;
    }
    page.values[seq % PAGE] = value;
    if (this.hasDetails) page.details[seq % PAGE] = detail;
    page.set += 1;
    this.#size += 1;
  }

  /** Takes away what is set. */
  clear(seq: number): void {
    const index = pageOf(seq);
    const page = this.#page(index);
    if (page === undefined) return;
    page.values[seq % PAGE] = 0;
    page.set -= 1;
    this.#size -= 1;
    if (page.set > 0) return;
    this.#pages.delete(index);
    if (this.#free.length < FREE) this.#free.push(page);
    this.#lastIndex = -1;
    this.#last = undefined;
  }

  /** The sequences that are set, in order. */
  *sequences(): Generator<number> {
    for (const index of [...this.#pages.keys()].sort((a, b) => a - b)) {
      const values = this.#pages.get(index)?.values ?? [];
      for (let at = 0; at < values.length; at++) if (values[at] !== 0) yield index * PAGE + at;
    }
  }

  #make(): Page {
    return { values: new Float64Array(PAGE), details: new Float64Array(this.hasDetails ? PAGE : 0), set: 0 };
  }

  #page(index: number): Page | undefined {
    if (index === this.#lastIndex) return this.#last;
    const page = this.#pages.get(index);
    if (page !== undefined) {
      this.#lastIndex = index;
      this.#last = page;
    }
    return page;
  }
}

/** Sequences of a page of a set: 4 kB. */
const BITS = 32_768;

/** A set of sequences, a bit each in the pages that have any. */
export class SequenceSet {
  readonly #pages: (Uint32Array | undefined)[] = [];

  constructor(private readonly fromSeq: number) {}

  add(seq: number): void {
    const at = seq - this.fromSeq;
    const index = Math.floor(at / BITS);
    // After a read beyond its end, an array is slow.
    while (this.#pages.length <= index) this.#pages.push(undefined);
    let page = this.#pages[index];
    if (page === undefined) {
      page = new Uint32Array(BITS / 32);
      this.#pages[index] = page;
    }
    const bit = at % BITS;
    page[bit >> 5] = (page[bit >> 5] as number) | (1 << (bit & 31));
  }

  has(seq: number): boolean {
    const at = seq - this.fromSeq;
    if (at < 0) return false;
    const bit = at % BITS;
    return (((this.#pages[Math.floor(at / BITS)]?.[bit >> 5] ?? 0) >>> (bit & 31)) & 1) === 1;
  }
}
