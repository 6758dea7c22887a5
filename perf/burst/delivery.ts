import { now, type Sample } from './setting.js';

/** Where delivery stood at a time. */
type DeliveryStep = readonly [at: number, seq: number];

/** So long a way back is known, milliseconds: samples come later than what they are about. */
const KEEP_MS = 30_000;

/**
 * How long records take until they are delivered, from samples: a producer says where a record stands and when it was
 * due, and this remembers when delivery had come so far.
 */
export class DeliveryTimes {
  #steps: DeliveryStep[] = [];
  #waiting: Sample[] = [];
  #seq = 0;

  constructor(private readonly onDelivered: (dueAt: number, latencyMs: number) => void) {}

  /** All up to here is delivered. */
  get seq(): number {
    return this.#seq;
  }

  /** Whether a sample is not delivered yet. */
  get waits(): boolean {
    return this.#waiting.length > 0;
  }

  /** Delivery has come so far, now. Snapshots that start over are further back for a while: nothing is taken back. */
  reached(seq: number, at = now()): void {
    if (seq <= this.#seq) return;
    this.#seq = seq;
    this.#steps.push([at, seq]);
    while ((this.#steps[0]?.[0] ?? at) < at - KEEP_MS) this.#steps.shift();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const sample of waiting) {
      if (sample[0] <= seq) this.onDelivered(sample[1], at - sample[1]);
      else this.#waiting.push(sample);
    }
  }

  follow(samples: readonly Sample[]): void {
    for (const sample of samples) {
      const [seq, dueAt] = sample;
      if (seq > this.#seq) this.#waiting.push(sample);
      else this.onDelivered(dueAt, (this.#stepOf(seq)?.[0] ?? now()) - dueAt);
    }
  }

  /** The first step that had come so far. */
  #stepOf(seq: number): DeliveryStep | undefined {
    let [low, high] = [0, this.#steps.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#steps[middle] as DeliveryStep)[1] < seq) low = middle + 1;
      else high = middle;
    }
    return this.#steps[low];
  }
}
