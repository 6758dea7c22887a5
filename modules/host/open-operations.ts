import { setImmediate } from 'node:timers';

/** A wait that lasts while other operations are under way. */
interface LastingWait<T> {
  /** What the log has of its end; undefined: nothing. */
  readonly ask: () => Promise<T | undefined>;
  readonly resolve: (said: T) => void;
}

/**
 * What a run of a handler has under way: operations that will end by themselves, and waits that last. If there are
 * waits alone, the handler can do nothing more, and the run is parked.
 */
export class OpenOperations<T = unknown> {
  readonly #waits = new Set<LastingWait<T>>();
  #busy = 0;
  /** Something was woken: it may be a wait that was not noted yet. */
  #isWoken = false;
  #isParked = false;

  /** `park`: the run is over, without an outcome. What is under way never ends. */
  constructor(private readonly park: () => void) {}

  get isParked(): boolean {
    return this.#isParked;
  }

  get hasWaits(): boolean {
    return this.#waits.size > 0;
  }

  /** An operation begins. */
  begin(): void {
    this.#busy += 1;
  }

  /** An operation has ended. */
  end(): void {
    this.#busy -= 1;
    this.#look();
  }

  /** An operation is a wait, which lasts until the log has its end. If the run is parked, this never resolves. */
  lasts(ask: LastingWait<T>['ask']): Promise<T> {
    return new Promise((resolve) => {
      const wait = { ask, resolve };
      this.#waits.add(wait);
      this.end();
      if (this.#isWoken) void this.#ask(wait);
    });
  }

  /** The log may have the end of a wait. */
  woken(): void {
    this.#isWoken = true;
    for (const wait of this.#waits) void this.#ask(wait);
  }

  async #ask(wait: LastingWait<T>): Promise<void> {
    if (this.#isParked) return;
    this.begin();
    const said = await wait.ask();
    if (said !== undefined && this.#waits.delete(wait)) wait.resolve(said);
    this.end();
  }

  /** Once the handler has gone on with what it got last. */
  #look(): void {
    if (this.#waits.size === 0 || this.#busy > 0) return;
    setImmediate(() => {
      if (this.#busy > 0 || this.#waits.size === 0 || this.#isParked) return;
      this.#isParked = true;
      this.park();
    });
  }
}
