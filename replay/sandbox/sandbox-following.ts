import type { NatsConnection } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { Waker } from '../../system/async/waker.js';
import { type Fault, FaultError, toFault } from '../../schemas/errors.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { Hit } from './break-point.js';
import { CommandTree } from './command-tree.js';

export interface SandboxFollowingOptions {
  /** A connection to the sandbox, as operator. */
  readonly nc: NatsConnection;
  /** Where its log stood before it started. */
  readonly baseSeq: number;
  /** Commands from before that, which had no result. */
  readonly open: readonly StoredMessage[];
  /** Sees every record. */
  readonly onRecord: (message: StoredMessage) => void;
  /** Where the condition of a run came to hold. */
  readonly look: (message: StoredMessage) => Promise<Hit | undefined>;
}

/** The records of a sandbox as they are stored. */
export class SandboxFollowing {
  readonly tree = new CommandTree();
  hit: Hit | undefined;
  failed: Fault | undefined;
  readonly #waker = new Waker();
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;
  /** The last record that was seen. */
  #seq = 0;

  constructor(private readonly options: SandboxFollowingOptions) {
    for (const message of options.open) this.tree.add(message);
    this.#done = this.#follow();
  }

  async #follow(): Promise<void> {
    const { nc, baseSeq, look, onRecord } = this.options;
    const range = { fromSeq: baseSeq + 1, follow: true };
    try {
      for await (const message of readLog(nc, { ...range, signal: this.#ended.signal })) {
        onRecord(message);
        // Before the tree has it: a wait for quiet must not pass a record that is still looked at.
        this.hit ??= await look(message);
        this.tree.add(message);
        this.#seq = message.seq;
        this.#waker.wake();
      }
    } catch (error) {
      this.failed = toFault(error);
      this.#waker.wake();
    }
  }

  /** Waits until everything up to a record, and what followed from it, is answered, or it is enough. */
  async quiet(seq: number, timeoutMs: number): Promise<void> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      if (this.failed !== undefined) throw new FaultError(this.failed);
      const leftMs = until - performance.now();
      if (this.hit !== undefined || (this.#seq >= seq && this.tree.isQuiet)) return;
      if (leftMs <= 0) return this.tree.giveUp();
      await this.#waker.wait(leftMs);
    }
  }

  async end(): Promise<void> {
    this.#ended.abort();
    await this.#done;
  }
}
