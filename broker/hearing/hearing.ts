import type { JetStreamManager } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import type { Draft } from '../../journal/append/draft.js';
import type { Producer } from '../../journal/producer/producer.js';
import { linkState } from '../../link/link-state.js';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import { eventIn, hearingSubject } from '../../schemas/heard-events.js';
import { dueBy, nextHearing } from '../../schemas/hearing-record.js';
import { encodeJson } from '../../schemas/json.js';
import { LOG } from '../../schemas/log.js';
import { takesAgent, type Manifest } from '../../schemas/manifest.js';
import type { StoredMessage } from '../../schemas/record.js';
import { Backoff } from '../../system/async/backoff.js';
import { pause } from '../../system/async/pause.js';
import { Waker } from '../../system/async/waker.js';
import { failPoint } from '../../system/processes/fail-point.js';
import { deliveryDraft } from './delivery-draft.js';
import { HeardQueue } from './heard-queue.js';
import { type HearingPlace, lookUpPlace, placeAt } from './hearing-place.js';
import type { BrokerReader } from '../reader/broker-reader.js';

export interface HearingOptions {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly reader: Pick<BrokerReader, 'on' | 'position'>;
  /** Opens the producer of a listener; its first epoch shuts out every one before it. */
  readonly open: (listener: string) => TaskEither<Fault, Producer>;
  /** Commands of a module without a result. */
  readonly waiting: (listener: string) => number;
  /** Why the log takes nothing new, while that is so. */
  readonly refusal: () => Fault | undefined;
  readonly say: (text: string) => void;
  /** Undefined: the event is in no circle. Else the number of deliveries in its chain, with this one. */
  readonly chainOf: (listener: string, event: StoredMessage) => Promise<number> | undefined;
  readonly noteChain: (command: number, length: number) => void;
}

/** Events that are on their way into the log at a time. */
const PAGE = 256;
/** A module that has so many commands to handle gets no more events for now: they wait where they are. */
const MOST_WAITING = 10_000;
const LOOK_MS = 100;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

type ChainedDraft = Draft & { readonly chain: number | undefined };
type ListenerManifest = Pick<Manifest, 'name' | 'on' | 'actions'>;

/**
 * Brings one module the events that it listens to, each as a command (I10). The log alone says how far it has come:
 * after a doubt a new epoch shuts out what may be on its way, and the place is read from the log.
 */
export class Hearing {
  readonly #waker = new Waker();
  readonly #closing = new AbortController();
  readonly #queue: HeardQueue;
  #wanted: ListenerManifest;
  #place: HearingPlace | undefined;
  #producer: Producer | undefined;
  /** What is wanted is in the log. */
  #isSettled = false;
  #waiters: ((outcome: E.Either<Fault, void>) => void)[] = [];
  #said = '';
  #running: Promise<void> = Promise.resolve();

  constructor(
    wanted: ListenerManifest,
    private readonly options: HearingOptions,
  ) {
    this.#wanted = wanted;
    const { nc, reader } = options;
    this.#queue = new HeardQueue({ nc, reader, onEvents: () => this.#waker.wake() });
  }

  start(): void {
    this.#running = this.#run();
  }

  /** The module has another manifest. */
  changed(wanted: ListenerManifest): void {
    this.#wanted = wanted;
    this.#isSettled = false;
    this.#waker.wake();
  }

  /** Resolves when the log says what the module listens to; left: why it does not yet. */
  settled(): Promise<E.Either<Fault, void>> {
    if (this.#isSettled) return Promise.resolve(E.right(undefined));
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** How many events in the log the module has not been brought yet; undefined: that was not read yet. */
  async eventsWaiting(): Promise<number | undefined> {
    const place = this.#place;
    return place === undefined ? undefined : this.#queue.waiting(place.floor, this.options.jsm);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#waker.wake();
    this.#queue.close();
    await this.#producer?.close();
    await this.#running;
    this.#tell(E.left(fault('MODULE_STATE', 'the broker is about to stop')));
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #run(): Promise<void> {
    const pauses = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS);
    while (!this.#isClosed) {
      try {
        const isMore = await this.#step();
        pauses.reset();
        this.#said = '';
        if (!isMore && !this.#isClosed) await this.#waker.wait();
      } catch (error) {
        await this.#producer?.close();
        this.#producer = undefined;
        this.#place = undefined;
        if (this.#isClosed) return;
        const problem = toFault(error, 'LOG_UNAVAILABLE');
        this.#tell(E.left(problem));
        this.#sayOnce(problem);
        await pause(pauses.take(), { signal: this.#closing.signal });
      }
    }
  }

  /** Said once for as long as it lasts. */
  #sayOnce({ code, message }: Fault): void {
    const text = `events for ${this.#wanted.name} wait: ${code}: ${message}`;
    if (text !== this.#said && linkState(this.options.nc).isUp) this.options.say(text);
    this.#said = text;
  }

  #tell(outcome: E.Either<Fault, void>): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve(outcome);
  }

  /** Does what is next; whether there may be more. */
  async #step(): Promise<boolean> {
    const place = this.#place ?? (await this.#look());
    if (!this.#isSettled && place.done.size === 0) return this.#settle(place);
    const { stretches } = place;
    this.#queue.listenTo(stretches.filter(isOpenAt(place.floor)).map(({ events }) => events));
    if (this.options.waiting(this.#wanted.name) >= MOST_WAITING) {
      await pause(LOOK_MS, { signal: this.#closing.signal });
      return true;
    }
    const { events, upTo } = await this.#queue.page(place.floor, PAGE);
    const due = events.filter(({ subject, seq }) => {
      const event = eventIn(subject);
      return event !== undefined && !place.done.has(seq) && dueBy(stretches, event, seq) !== undefined;
    });
    let behind = place.behind;
    if (due.length > 0) {
      const producer = await this.#opened();
      if (producer === undefined) return true;
      behind = Math.max(behind, await this.#deliver(producer, place, due));
    }
    const done = new Set([...place.done].filter((seq) => seq > upTo));
    this.#place = { ...place, floor: upTo, behind: done.size > 0 ? place.behind : behind, done };
    return events.length > 0 || upTo < this.options.reader.position;
  }

  async #look(): Promise<HearingPlace> {
    const { nc, jsm } = this.options;
    const place = await lookUpPlace(nc, jsm, this.#wanted.name);
    this.#place = place;
    return place;
  }

  /** Has the log say what the module listens to, where that has changed. */
  async #settle(place: HearingPlace): Promise<boolean> {
    const { name: listener, on = {} } = this.#wanted;
    const wanted = this.#wanted;
    const isSettled = (): true => {
      // It may have changed again.
      if (this.#wanted === wanted) {
        this.#isSettled = true;
        this.#tell(E.right(undefined));
      }
      return true;
    };
    const { stretches: before, floor } = place;
    // Most modules listen to nothing, and no start of theirs need ask where the log ends.
    if (nextHearing({ on, before, floor, lastSeq: 0 }) === undefined) return isSettled();
    const { state } = await this.options.jsm.streams.info(LOG);
    const stretches = nextHearing({ on, before, floor, lastSeq: state.last_seq });
    if (stretches === undefined) return isSettled();
    const producer = await this.#opened();
    if (producer === undefined) return true;
    const record = { listener, stretches };
    const stored = await this.#append(producer, {
      subject: hearingSubject(listener),
      data: encodeJson(record),
    });
    failPoint('hearing.said');
    this.#place = placeAt(record, stored);
    return isSettled();
  }

  /**
   * Stores the commands of a page, those of an agent one behind the other: where one is refused, none that is later
   * comes before it (I5). The last sequence.
   */
  async #deliver(producer: Producer, place: HearingPlace, due: readonly StoredMessage[]): Promise<number> {
    const { name: listener, actions } = this.#wanted;
    const lines = new Map<string, ChainedDraft[]>();
    for (const message of due) {
      const stretch = dueBy(place.stretches, eventIn(message.subject) ?? '', message.seq);
      if (stretch === undefined) continue;
      const action = Object.hasOwn(actions, stretch.action) ? actions[stretch.action] : undefined;
      const isForAgent = action === undefined || takesAgent(action);
      const asked = this.options.chainOf(listener, message);
      const chain = asked === undefined ? undefined : await asked;
      const draft = { ...deliveryDraft(listener, message, stretch, isForAgent, place, chain), chain };
      const line = draft.subject.split('.')[3] ?? '';
      const drafts = lines.get(line);
      if (drafts === undefined) lines.set(line, [draft]);
      else drafts.push(draft);
    }
    let last = 0;
    failPoint('hearing.delivering');
    await Promise.all(
      [...lines.values()].map(async (drafts) => {
        for (const { chain, ...draft } of drafts) {
          const stored = await this.#append(producer, draft);
          if (chain !== undefined) this.options.noteChain(stored, chain);
          last = Math.max(last, stored);
        }
      }),
    );
    failPoint('hearing.delivered');
    return last;
  }

  async #append(producer: Producer, draft: Draft): Promise<number> {
    const stored = await producer.append(draft)();
    if (E.isLeft(stored)) throw new FaultError(stored.left);
    return stored.right.seq;
  }

  /** The producer; undefined: it was opened just now, and the place is to be read again. */
  async #opened(): Promise<Producer | undefined> {
    const problem = this.options.refusal();
    // Not by an attempt: each would open an epoch.
    if (problem !== undefined) throw new FaultError(problem);
    if (this.#producer !== undefined) return this.#producer;
    const opened = await this.options.open(this.#wanted.name)();
    if (E.isLeft(opened)) throw new FaultError(opened.left);
    this.#producer = opened.right;
    this.#place = undefined;
    return undefined;
  }
}

const isOpenAt =
  (floor: number) =>
  ({ upTo }: HearingPlace['stretches'][number]): boolean =>
    upTo === null || upTo > floor;
