import type { JetStreamManager } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import type { Appended } from '../../journal/append/draft.js';
import type { Producer } from '../../journal/producer/producer.js';
import { linkState } from '../../link/link-state.js';
import { isOfRecord } from '../../link/pub-ack.js';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import { LOG } from '../../schemas/log.js';
import type { Wake } from '../../schemas/wake.js';
import { pause } from '../../system/async/pause.js';
import { Waker } from '../../system/async/waker.js';
import { failPoint } from '../../system/processes/fail-point.js';
import type { LogIndex } from '../index/log-index.js';
import type { OpenWait } from '../index/open-waits.js';
import { wakeDraft } from './wake-draft.js';

export interface WakesOptions {
  readonly nc: NatsConnection;
  readonly jsm: Pick<JetStreamManager, 'streams'>;
  readonly index: Pick<LogIndex, 'commands' | 'waits' | 'reachedWithin' | 'on'>;
  /** Opens a producer whose first epoch shuts out every one before it. */
  readonly open: () => TaskEither<Fault, Producer>;
  /** Why the log takes nothing new, while that is so; what is due waits. */
  readonly refusal?: () => Fault | undefined;
  readonly log: (text: string) => void;
}

/** Asked for before its time. */
interface AskedWake {
  readonly cause: number;
  readonly wake: Wake;
  readonly done: (isWoken: boolean) => void;
}

/** A wake that is to be stored. */
interface DueWake {
  readonly wait: OpenWait;
  readonly wake: Wake;
  readonly done?: (isWoken: boolean) => void;
}

/** The clock may be set at any time, so it is looked at so often. */
const LOOK_MS = 1_000;
const RETRY_MS = 1_000;
const INDEX_WAIT_MS = 60_000;
/** Wakes that are stored together. */
const PAGE = 256;

/**
 * Wakes handlers that wait, each wait once: stores a record when it is due, or when somebody asks for it. Which waits
 * have none is in the index alone. After a doubt a new epoch shuts out what may be on its way, and the index is read to
 * there: so a wake is never stored twice, whatever is killed.
 */
export class Wakes {
  readonly #waker = new Waker();
  readonly #forget: (() => void)[];
  #asked: AskedWake[] = [];
  #producer: Producer | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;
  #said = '';

  constructor(private readonly options: WakesOptions) {
    const { nc, index } = options;
    this.#forget = [
      linkState(nc).onChange(() => this.#waker.wake()),
      index.on('wait', () => this.#waker.wake()),
    ];
  }

  /** To be called when the index has read the past. */
  start(): void {
    this.#running = this.#run();
  }

  /**
   * Wakes the handler of a command that waits, before its time: the wait with the lowest number ends with this. False:
   * the command waits for nothing. Resolves when the index has the wake.
   */
  wake(cause: number, wake: Wake): Promise<boolean> {
    return new Promise((done) => {
      this.#asked.push({ cause, wake, done });
      this.#waker.wake();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const forget of this.#forget) forget();
    this.#waker.wake();
    await this.#producer?.close();
    await this.#running;
    for (const { done } of this.#asked) done(false);
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        while (!this.#closed && (await this.#store()));
        if (this.options.refusal?.() === undefined) this.#said = '';
        const { nextMs } = this.options.index.waits;
        const waitMs = Math.min(LOOK_MS, Math.max(1, nextMs - Date.now()));
        if (!this.#closed) await this.#waker.wait(nextMs === Number.POSITIVE_INFINITY ? undefined : waitMs);
      } catch (error) {
        // What was under way may be in the log or not: the next epoch shuts it out, and then the log tells.
        await this.#producer?.close();
        this.#producer = undefined;
        this.#tell(toFault(error, 'LOG_UNAVAILABLE'));
        if (!this.#closed) await pause(RETRY_MS);
      }
    }
  }

  /** Once for as long as it lasts: a log that is full stays so for a while. */
  #tell({ code, message }: Fault): void {
    const text = `handlers that are due wait: ${code}: ${message}`;
    if (!this.#closed && linkState(this.options.nc).isUp && text !== this.#said) this.options.log(text);
    this.#said = text;
  }

  get #isNeeded(): boolean {
    return this.#asked.length > 0 || this.options.index.waits.nextMs <= Date.now();
  }

  /** Stores some of what is due; whether there may be more. */
  async #store(): Promise<boolean> {
    const { nc, refusal } = this.options;
    if (!this.#isNeeded || !linkState(nc).isUp) return false;
    const problem = refusal?.();
    if (problem !== undefined) {
      // Not by an attempt: each would open an epoch.
      this.#tell(problem);
      return false;
    }
    const producer = await this.#opened();
    const due = this.#due();
    if (due.length === 0) return this.#asked.length > 0;
    const drafts = due.map(({ wait, wake }) =>
      wakeDraft(this.options.index.commands.get(wait.cause), wait, wake),
    );
    failPoint('wake.storing');
    const stored = await producer.appendAll(
      drafts.flatMap((draft) => (draft === undefined ? [] : [draft])),
    )();
    failPoint('wake.stored');
    await this.#indexed(lastOf(E.isLeft(stored) ? stored.left.records : stored.right.map(E.right)));
    for (const { done } of due) done?.(true);
    return true;
  }

  /** The waits that end now, each once: what was asked for, then what is due. */
  #due(): readonly DueWake[] {
    const { commands, waits } = this.options.index;
    const asked = this.#asked.splice(0, PAGE);
    const due: DueWake[] = [];
    const taken = new Set<string>();
    const take = (wake: DueWake): boolean => {
      const id = `${wake.wait.cause}/${wake.wait.call}`;
      if (taken.has(id)) return false;
      taken.add(id);
      due.push(wake);
      return true;
    };
    for (const { cause, wake, done } of asked) {
      const [wait] = commands.waitsOf(cause);
      if (wait === undefined || !take({ wait, wake, done })) done(false);
    }
    for (const wait of waits.due(Date.now(), PAGE - due.length)) take({ wait, wake: { status: 'ok' } });
    return due;
  }

  /** The producer, once the index has all that one before it stored. */
  async #opened(): Promise<Producer> {
    if (this.#producer !== undefined) return this.#producer;
    const { jsm, open } = this.options;
    const opened = await open()();
    if (E.isLeft(opened)) throw new FaultError(opened.left);
    // Nothing of an earlier producer comes behind this.
    const { state } = await jsm.streams.info(LOG);
    await this.#indexed(state.last_seq);
    this.#producer = opened.right;
    return opened.right;
  }

  async #indexed(seq: number): Promise<void> {
    if (await this.options.index.reachedWithin(seq, INDEX_WAIT_MS)) return;
    throw new FaultError(fault('LOG_UNAVAILABLE', `the index has not come to record ${seq}`));
  }
}

/** The sequence of the last one that is stored. Throws what may be better the next time. */
const lastOf = (records: readonly Appended[]): number => {
  let last = 0;
  for (const record of records) {
    if (E.isRight(record)) last = Math.max(last, record.right.seq);
    else throw new FaultError(isOfRecord(record.left) ? fault('INTERNAL', record.left.message) : record.left);
  }
  return last;
};
