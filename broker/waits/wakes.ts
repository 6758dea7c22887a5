import type { JetStreamManager } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import type { Appended } from '../../journal/append/draft.js';
import { recordsAt } from '../../journal/read/records-at.js';
import type { Producer } from '../../journal/producer/producer.js';
import { linkState } from '../../link/link-state.js';
import { isOfRecord } from '../../link/pub-ack.js';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import { LOG } from '../../schemas/log.js';
import type { Wake } from '../../schemas/wake.js';
import {
  MAX_KEPT_SIGNALS,
  type Signal,
  type SignalAddress,
  type StoredSignal,
} from '../../schemas/signal.js';
import { pause } from '../../system/async/pause.js';
import { Waker } from '../../system/async/waker.js';
import { failPoint } from '../../system/processes/fail-point.js';
import type { LogIndex } from '../index/log-index.js';
import type { OpenWait } from '../index/open-waits.js';
import { dueWake, signalDraft, signalledWake, wakeDraft } from './wake-draft.js';

export interface WakesOptions {
  readonly nc: NatsConnection;
  readonly jsm: Pick<JetStreamManager, 'streams'>;
  readonly index: Pick<LogIndex, 'commands' | 'waits' | 'signals' | 'reachedWithin' | 'on'>;
  /** Opens a producer whose first epoch shuts out every one before it. */
  readonly open: () => TaskEither<Fault, Producer>;
  /** Why the log takes nothing new, while that is so; what is due waits. */
  readonly refusal?: () => Fault | undefined;
  readonly log: (text: string) => void;
}

/** A signal that is to be stored. */
interface AskedSignal {
  readonly address: SignalAddress;
  readonly signal: Signal;
  readonly done: (stored: E.Either<Fault, StoredSignal>) => void;
}

/** Asked for before its time. */
interface AskedWake {
  readonly cause: number;
  /** Its number; absent: the lowest of the command. */
  readonly call?: number;
  readonly wake: Wake;
  readonly done: (isWoken: boolean) => void;
}

/** A wake that is to be stored. */
interface DueWake {
  readonly wait: OpenWait;
  readonly wake: Wake;
  /** The signal that it takes. */
  readonly signal?: number;
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
  #sent: AskedSignal[] = [];
  /** Agents and names of which a signal and a wait may meet. */
  readonly #meeting = new Map<string, SignalAddress>();
  #producer: Producer | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;
  #said = '';

  constructor(private readonly options: WakesOptions) {
    const { nc, index } = options;
    this.#forget = [
      linkState(nc).onChange(() => this.#waker.wake()),
      index.on('wait', (cause) => {
        for (const { signal } of index.commands.waitsOf(cause)) this.#mayMeet(signal);
        this.#waker.wake();
      }),
      index.on('signal', (address) => this.#mayMeet(address)),
    ];
  }

  /** To be called when the index has read the past. */
  start(): void {
    this.#meetAll();
    this.#running = this.#run();
  }

  /**
   * Wakes the handler of a command that waits, before its time: the wait of that number, or the lowest one. False:
   * the command waits for nothing. Resolves when the index has the wake.
   */
  wake(cause: number, wake: Wake, call?: number): Promise<boolean> {
    return new Promise((done) => {
      this.#asked.push({ cause, wake, done, ...(call === undefined ? {} : { call }) });
      this.#waker.wake();
    });
  }

  /** Stores a signal; the index has it when this resolves. SIGNALS_FULL, LOG_UNAVAILABLE, what the log refuses. */
  signal(address: SignalAddress, signal: Signal): Promise<E.Either<Fault, StoredSignal>> {
    const problem = this.options.refusal?.() ?? this.#full(address);
    if (problem !== undefined) return Promise.resolve(E.left(problem));
    return new Promise((done) => {
      this.#sent.push({ address, signal, done });
      this.#waker.wake();
    });
  }

  #full(address: SignalAddress): Fault | undefined {
    const { index } = this.options;
    const coming = this.#sent.filter(({ address: other }) => keyOf(other) === keyOf(address)).length;
    if (index.signals.keptOf(address, MAX_KEPT_SIGNALS).length + coming < MAX_KEPT_SIGNALS) return undefined;
    const { module, name, agent } = address;
    return fault('SIGNALS_FULL', `agent ${agent} of ${module} keeps ${MAX_KEPT_SIGNALS} signals ${name}`);
  }

  #mayMeet(address: SignalAddress | undefined): void {
    if (address === undefined) return;
    this.#meeting.set(keyOf(address), address);
    this.#waker.wake();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const forget of this.#forget) forget();
    this.#waker.wake();
    await this.#producer?.close();
    await this.#running;
    for (const { done } of this.#asked) done(false);
    for (const { done } of this.#sent) done(E.left(fault('LOG_UNAVAILABLE', 'the broker stops')));
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
        this.#meetAll();
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
    const isAsked = this.#asked.length > 0 || this.#sent.length > 0 || this.#meeting.size > 0;
    return isAsked || this.options.index.waits.nextMs <= Date.now();
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
    if (this.#sent.length > 0) await this.#storeSignals(producer);
    const due = [...(await this.#met()), ...this.#due()];
    if (due.length === 0) return this.#isNeeded;
    const { commands } = this.options.index;
    const drafts = once(due).map(({ wait, wake, signal }) =>
      wakeDraft(commands.get(wait.cause), wait, wake, signal),
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

  /** After a start or a doubt: every wait for a signal may have one. */
  #meetAll(): void {
    for (const address of this.options.index.signals.awaiting.addresses())
      this.#meeting.set(keyOf(address), address);
  }

  async #storeSignals(producer: Producer): Promise<void> {
    const sent = this.#sent.splice(0, PAGE);
    failPoint('signal.storing');
    const stored = await producer.appendAll(
      sent.map(({ address, signal }) => signalDraft(address, signal)),
    )();
    failPoint('signal.stored');
    const records = E.isLeft(stored) ? stored.left.records : stored.right.map(E.right);
    for (const [i, { done }] of sent.entries()) {
      const record = records[i];
      if (record !== undefined && E.isLeft(record)) done(record);
    }
    await this.#indexed(lastOf(records));
    for (const [i, { done }] of sent.entries()) {
      const record = records[i];
      if (record !== undefined && E.isRight(record)) done(E.right({ seq: record.right.seq }));
    }
  }

  /** Signals that a wait takes now: the first of an agent and a name, for the first wait. */
  async #met(): Promise<readonly DueWake[]> {
    const { nc, index } = this.options;
    const addresses = [...this.#meeting.values()].slice(0, PAGE);
    const pairs = addresses.flatMap((address) => {
      this.#meeting.delete(keyOf(address));
      const kept = index.signals.keptOf(address, PAGE);
      const waits = index.signals.awaitingOf(address, PAGE);
      return waits.flatMap((wait, i) => (kept[i] === undefined ? [] : [{ wait, seq: kept[i] }]));
    });
    if (pairs.length === 0) return [];
    const found = await recordsAt(
      { nc, prefix: '$JS.API' },
      pairs.map(({ seq }) => seq),
    )();
    if (E.isLeft(found)) throw new FaultError(found.left);
    const bySeq = new Map(found.right.map((record) => [record?.seq, record]));
    return pairs.map(({ wait, seq }) => ({ wait, signal: seq, wake: signalledWake(bySeq.get(seq)?.data) }));
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
    for (const { cause, call, wake, done } of asked) {
      const wait = commands.waitsOf(cause).find((each) => call === undefined || each.call === call);
      if (wait === undefined || !take({ wait, wake, done })) done(false);
    }
    for (const wait of waits.due(Date.now(), PAGE - due.length)) {
      // The row of the files has no signal and no promise.
      const whole = commands.waitsOf(wait.cause).find(({ call }) => call === wait.call) ?? wait;
      take({ wait: whole, wake: dueWake(whole) });
    }
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

const keyOf = ({ module, agent, name }: SignalAddress): string => `${module}/${agent}/${name}`;

/** Each wait once: the first counts. */
const once = (due: readonly DueWake[]): readonly DueWake[] => {
  const taken = new Set<string>();
  return due.filter(({ wait: { cause, call } }) => {
    const id = `${cause}/${call}`;
    if (taken.has(id)) return false;
    taken.add(id);
    return true;
  });
};

/** The sequence of the last one that is stored. Throws what may be better the next time. */
const lastOf = (records: readonly Appended[]): number => {
  let last = 0;
  for (const record of records) {
    if (E.isRight(record)) last = Math.max(last, record.right.seq);
    else throw new FaultError(isOfRecord(record.left) ? fault('INTERNAL', record.left.message) : record.left);
  }
  return last;
};
