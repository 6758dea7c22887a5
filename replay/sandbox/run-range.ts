import { isLeft } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import type { Draft, Receipt } from '../../journal/append/draft.js';
import { type Fault, FaultError } from '../../schemas/errors.js';
import type { StoredMessage, WholeMessage } from '../../schemas/record.js';
import type { Hit } from './break-point.js';
import { type Compared, compareCommands, type Verdict } from './compare-answers.js';
import { feedDraft } from './feed-draft.js';
import { SandboxFollowing } from './sandbox-following.js';
import type { RecordedRange } from './recorded-range.js';
import { pause } from '../../system/async/pause.js';

/** A separate broker, whose log has the records before the range. */
export interface Sandbox {
  /** A connection as operator. */
  readonly nc: NatsConnection;
  readonly record: (command: Draft) => TaskEither<Fault, Receipt>;
  /** Where its log stood before it started. */
  readonly baseSeq: number;
}

export interface RunOptions {
  readonly range: RecordedRange;
  /** Commands from before the range that had no result there. */
  readonly open: readonly StoredMessage[];
  readonly sandbox: Sandbox;
  /**
   * `max`: a command is sent when all that followed from the one before is answered, so that each run is the same.
   * A number: commands are sent at the pace at which they were recorded, so many times as fast.
   */
  readonly speed: 'max' | number;
  /** How long a command may take to be answered, milliseconds. */
  readonly timeoutMs: number;
  /** Asked before each command; false ends the run. */
  readonly next: (command: StoredMessage) => Promise<boolean>;
  readonly onCompared: (compared: Compared) => void;
  readonly onProgress: (fed: number, all: number) => void;
  /** Sees every record of the sandbox. */
  readonly onRecord: (message: StoredMessage) => void;
  readonly look: (message: StoredMessage) => Promise<Hit | undefined>;
}

export interface Ran {
  /** Commands that were sent again. */
  readonly fed: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Where the condition came to hold; what is behind it was not sent. */
  readonly hit: Hit | undefined;
  /** The recorded command that was sent last. */
  readonly lastFed: number | null;
}

const VERDICTS: Readonly<Record<Verdict, number>> = {
  same: 0,
  different: 0,
  unanswered: 0,
  answered: 0,
  new: 0,
  missing: 0,
};

/** Verdicts that may still change while a conversation continues. */
const LATER: ReadonlySet<Verdict> = new Set(['unanswered', 'missing']);

/** How often a wait for a command's time checks whether the run has ended. */
const LOOK_MS = 250;

class RangeRun {
  readonly #following: SandboxFollowing;
  /** Sequences in the sandbox by those that were recorded. */
  readonly #sequences = new Map<number, number>();
  readonly #verdicts = { ...VERDICTS };
  /** What was sent, and is not compared yet: recorded sequence, and where it is now. */
  #sent: (readonly [recorded: number, now: number])[] = [];
  #fed = 0;
  #lastFed: number | null = null;

  constructor(private readonly options: RunOptions) {
    const { sandbox, open, onRecord, look } = options;
    this.#following = new SandboxFollowing({ ...sandbox, open, onRecord, look });
  }

  async run(): Promise<Ran> {
    const { range, open, speed, timeoutMs, next, onProgress } = this.options;
    const { roots } = range;
    try {
      // What the sandbox's modules found unanswered is handled by their start.
      for (const { seq } of open) this.#sent.push([seq, seq]);
      await this.#settle(this.options.sandbox.baseSeq);
      const startedMs = Date.now();
      const firstMs = roots[0]?.timeMs ?? 0;
      for (const root of roots) {
        if (this.#following.hit !== undefined || !(await next(root))) break;
        if (speed !== 'max') await this.#untilDue(startedMs + (root.timeMs - firstMs) / speed);
        if (this.#following.hit !== undefined) break;
        const seq = await this.#feed(root);
        onProgress(this.#fed, roots.length);
        if (speed === 'max') await this.#settle(seq);
      }
      await this.#following.quiet(Math.max(0, ...this.#sent.map(([, now]) => now)), timeoutMs);
      this.#compare();
      const { hit } = this.#following;
      return { fed: this.#fed, verdicts: this.#verdicts, hit, lastFed: this.#lastFed };
    } finally {
      await this.#following.end();
    }
  }

  async #feed(root: WholeMessage): Promise<number> {
    const stored = await this.options.sandbox.record(feedDraft(root, this.#sequences))();
    if (isLeft(stored)) throw new FaultError(stored.left);
    const { seq } = stored.right;
    this.#fed += 1;
    this.#lastFed = root.seq;
    this.#sequences.set(root.seq, seq);
    this.#sent.push([root.seq, seq]);
    return seq;
  }

  async #settle(seq: number): Promise<void> {
    await this.#following.quiet(seq, this.options.timeoutMs);
    if (this.#following.hit === undefined) this.#compare();
  }

  #compare(): void {
    for (const [recorded, now] of this.#sent) {
      const was = this.options.range.tree.find(recorded);
      const is = this.#following.tree.find(now);
      if (was === undefined || is === undefined) continue;
      for (const each of compareCommands(was, is, this.#sequences)) {
        // A run that was stopped in the middle of a conversation has not seen its end.
        if (this.#following.hit !== undefined && LATER.has(each.verdict)) continue;
        this.#verdicts[each.verdict] += 1;
        this.options.onCompared(each);
      }
    }
    this.#sent = [];
  }

  async #untilDue(atMs: number): Promise<void> {
    for (let leftMs = atMs - Date.now(); leftMs > 0; leftMs = atMs - Date.now()) {
      if (this.#following.hit !== undefined) return;
      await pause(Math.min(leftMs, LOOK_MS));
    }
  }
}

/**
 * Sends the commands of a recorded range to a sandbox, in order and with the senders that they had, and compares the
 * result of each with the recorded one. Ends when the condition of `look` holds, and when `next` returns false.
 * Throws why a command cannot be recorded, or the sandbox not read.
 */
export const runRange = (options: RunOptions): Promise<Ran> => new RangeRun(options).run();
