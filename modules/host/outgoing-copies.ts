import * as E from 'fp-ts/lib/Either.js';
import type { Appender } from '../../journal/append/appender.js';
import { type Copy, copyDraft } from '../../journal/append/copy-draft.js';
import type { Fault } from '../../schemas/errors.js';
import type { PromisedCopy } from '../../schemas/result-bytes.js';
import { failPoint } from '../../system/processes/fail-point.js';

/** How long a copy waits at most for a result to travel with; docs/reference/limits.md says it. */
export const COPY_WAIT_MS = 4;
/** After such a pause no result is expected soon, and a copy goes at once. */
const ALONE_MS = 10;
/** Copies that may wait. */
const MAX_WAITING = 256;

/** A command whose result is in the log, and what its result promises. */
export interface CopiedResult {
  readonly seq: number;
  readonly conversation: number;
  /** `Tally-Schema` of the result. */
  readonly schema: string;
  readonly out: readonly PromisedCopy[];
}

/**
 * Stores the copies of results that are in the log, in the order of the results. No caller waits for an event. So
 * where copies went a moment ago, an event waits for the next result and travels in the same write: a write wakes
 * the server, and its acknowledgement wakes this process, and with few commands under way that is most of what a
 * command costs. A copy that is a command goes at once, and takes along what waits.
 */
export class OutgoingCopies {
  #waiting: Copy[] = [];
  /** Copies that are not stored, by their command. */
  readonly #missing = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly appender: Pick<Appender, 'submit'>,
    /** All copies of a command are stored. */
    private readonly onStored: (cause: number) => void,
    private readonly onBroken: (reason: Fault) => void,
    /** Milliseconds. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Copies that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The result is stored: its copies may go. */
  add({ seq, conversation, schema, out }: CopiedResult): void {
    const n = out.length;
    if (n === 0) return this.onStored(seq);
    this.#missing.set(seq, n);
    let isUrgent = false;
    for (const [index, each] of out.entries()) {
      if (each.subject.startsWith('cmd.')) isUrgent = true;
      this.#waiting.push({ cause: seq, conversation, schema, i: index + 1, n, out: each });
    }
    const isAlone = this.now() - this.#sentAt > ALONE_MS;
    if (isUrgent || isAlone || this.#waiting.length >= MAX_WAITING) this.send();
    else this.#timer ??= setTimeout(() => this.send(), COPY_WAIT_MS);
  }

  /** Sends what waits: a result goes in the same write, or nothing may wait any more. */
  send(): void {
    if (this.#waiting.length === 0) return;
    const copies = this.#waiting;
    this.close();
    this.#sentAt = this.now();
    for (const copy of copies) {
      this.appender.submit(copyDraft(copy), (stored) => {
        if (E.isLeft(stored)) return this.onBroken(stored.left);
        failPoint('host.copy-acknowledged');
        this.#stored(copy.cause);
      });
      failPoint('host.copy-appended');
    }
  }

  /** Forgets what waits: the broker stores copies that the log lacks when the next epoch begins. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
  }

  #stored(cause: number): void {
    const missing = (this.#missing.get(cause) as number) - 1;
    if (missing > 0) return void this.#missing.set(cause, missing);
    this.#missing.delete(cause);
    this.onStored(cause);
  }
}
