/**
 * For so long requests are taken before the connection is read again, milliseconds: what is not read waits in the
 * server.
 */
const SLICE_MS = 3;

/**
 * The time that one turn of the event loop has for requests. Behind it come the bytes that the connections have
 * brought by then.
 */
export class TimeSlice {
  #endsAt = 0;
  #isScheduled = false;

  /** `next`: the turn after this one. */
  constructor(private readonly next: () => void) {}

  /** Whether this turn has time left. The first question of a turn begins its time, and plans the next turn. */
  hasTime(): boolean {
    const now = performance.now();
    if (this.#endsAt === 0) {
      this.#endsAt = now + SLICE_MS;
      this.schedule();
    }
    return now < this.#endsAt;
  }

  /** Plans the next turn, once. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#endsAt = 0;
      this.next();
    });
  }
}
