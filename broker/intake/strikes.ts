const MIB = 1024 * 1024;
const WINDOW_MS = 1_000;
/** Far above what those send who wait for an answer before they send the next request. */
const BYTES = 64 * MIB;

interface Strikes {
  since: number;
  bytes: number;
}

/** What connections send in a second although the broker has no room for it. */
export class StrikeCount {
  readonly #counts = new Map<string, Strikes>();

  constructor(private readonly bytes = BYTES) {}

  /** Counts a request that has no room; whether its connection sends on without minding an answer. */
  add(connection: string, bytes: number, now = performance.now()): boolean {
    const known = this.#counts.get(connection);
    if (known !== undefined && now - known.since <= WINDOW_MS) {
      known.bytes += bytes;
      return known.bytes > this.bytes;
    }
    for (const [each, { since }] of this.#counts) if (now - since > WINDOW_MS) this.#counts.delete(each);
    this.#counts.set(connection, { since: now, bytes });
    return false;
  }
}
