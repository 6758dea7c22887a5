import type { JetStreamManager } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection, Subscription } from 'nats';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import { CARRIED, HEADER } from '../../schemas/headers.js';
import { LOG } from '../../schemas/log.js';
import { splitSubject } from '../../schemas/subjects.js';
import type { LogIndex } from '../index/log-index.js';
import type { Appended, Draft } from '../journal/draft.js';
import { linkState } from '../journal/link-state.js';
import type { Producer } from '../journal/producer.js';
import { isOfRecord } from '../journal/pub-ack.js';
import { Waker } from '../journal/waker.js';
import { type Firing, firingOf } from './firing.js';
import { readPage, type Stored } from './page.js';
import { ALL_FIRED, COMMAND_HEADER, FIRED_NOTICE, hasSchedules, SCHED } from './stream.js';

export interface FiringsOptions {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly index: Pick<LogIndex, 'lastFiring' | 'reachedWithin'>;
  /** Opens a producer whose first epoch shuts out every one before it. */
  readonly open: () => TaskEither<Fault, Producer>;
  /** Why the log takes nothing new, while that is so; what was fired waits. */
  readonly refusal?: () => Fault | undefined;
  readonly log: (text: string) => void;
}

/** A command that a schedule fired. */
interface Fired extends Firing {
  readonly draft: Draft;
  /** When it was fired, milliseconds since 1970. */
  readonly firedMs: number;
}

/** How often to look where nothing was heard of. */
const POLL_MS = 5_000;
const RETRY_MS = 1_000;
/** The server fires within a second; what is later was missed. */
const LATE_MS = 5_000;
const INDEX_WAIT_MS = 60_000;

/** The server's headers of what it fired. */
const NEXT = 'Nats-Schedule-Next';
const LAST = 'purge';

/**
 * Takes what schedules have fired out of their stream into the log, each firing once. A firing leaves its stream when the
 * log has it, so that a broker or server which is killed in between leaves both; and a server that is killed fires again
 * what it fired in the two minutes before. The log itself is what knows: its index says how far each schedule has come.
 */
export class Firings {
  readonly #waker = new Waker();
  readonly #subscription: Subscription;
  readonly #forget: () => void;
  #producer: Producer | undefined;
  #running: Promise<void> = Promise.resolve();
  #exists = false;
  #closed = false;
  #said = '';

  constructor(private readonly options: FiringsOptions) {
    const { nc } = options;
    const wake = (): void => this.#waker.wake();
    this.#subscription = nc.subscribe(FIRED_NOTICE, { callback: wake });
    this.#forget = linkState(nc).onChange(wake);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Looks at once: the stream has come into being. */
  wake(): void {
    this.#waker.wake();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#forget();
    this.#subscription.unsubscribe();
    this.#waker.wake();
    await this.#producer?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        while (!this.#closed && (await this.#drain()));
        if (this.options.refusal?.() === undefined) this.#said = '';
        if (!this.#closed) await this.#waker.wait(POLL_MS);
      } catch (error) {
        // What was under way may be in the log or not: the next epoch shuts it out, and then the log tells.
        await this.#producer?.close();
        this.#producer = undefined;
        this.#tell(toFault(error, 'LOG_UNAVAILABLE'));
        if (!this.#closed) await new Promise((resume) => setTimeout(resume, RETRY_MS));
      }
    }
  }

  /** Once for as long as it lasts: a log that is full stays so for a while. */
  #tell({ code, message }: Fault): void {
    const text = `what schedules fired waits: ${code}: ${message}`;
    if (!this.#closed && linkState(this.options.nc).isUp && text !== this.#said) this.options.log(text);
    this.#said = text;
  }

  /** Stores one page of what has fired; whether there was any. */
  async #drain(): Promise<boolean> {
    const { nc, jsm } = this.options;
    if (!linkState(nc).isUp) return false;
    this.#exists ||= await hasSchedules(jsm);
    if (!this.#exists) return false;
    const page = await readPage(nc, ALL_FIRED, 1);
    const last = page.at(-1);
    if (last === undefined) return false;
    const refusal = this.options.refusal?.();
    if (refusal !== undefined) {
      // Not by an attempt: each would open an epoch.
      this.#tell(refusal);
      return false;
    }
    const producer = await this.#opened();
    const due = this.#due(page.flatMap((message) => this.#read(message)));
    const stored = await producer.appendAll(due)();
    const records = E.isLeft(stored) ? stored.left.records : stored.right.map(E.right);
    // The next page is compared with what the index knows.
    await this.#indexed(this.#lastOf(due, records));
    await jsm.streams.purge(SCHED, { filter: ALL_FIRED, seq: last.seq + 1 });
    return true;
  }

  /**
   * The sequence of the last one that is stored. One that no log takes is said and left out: tried again and again, it would
   * hold up all that other schedules fire. Throws what may be better the next time.
   */
  #lastOf(due: readonly Draft[], records: readonly Appended[]): number {
    let last = 0;
    for (const [i, record] of records.entries()) {
      if (E.isRight(record)) last = Math.max(last, record.right.seq);
      else if (!isOfRecord(record.left)) throw new FaultError(record.left);
      else {
        const { code, message } = record.left;
        this.options.log(`a firing of ${due[i]?.subject} is left out: ${code}: ${message}`);
      }
    }
    return last;
  }

  #read({ seq, time, header, data }: Stored): readonly Fired[] {
    const subject = header.get(COMMAND_HEADER);
    const command = splitSubject(subject);
    const headers = headersOf((name) => header.get(name), header.get(NEXT));
    const firing = command?.kind === 'cmd' ? firingOf(command.sender, (name) => headers[name]) : undefined;
    if (firing !== undefined)
      return [{ draft: { subject, data, headers }, firedMs: time.getTime(), ...firing }];
    this.options.log(`message ${seq} of ${SCHED} is no firing of a schedule; it is left out`);
    return [];
  }

  /** What of this the log does not have. */
  #due(page: readonly Fired[]): readonly Draft[] {
    const { index, log } = this.options;
    const come = new Map<string, number>();
    const again: string[] = [];
    const due = page.flatMap(({ draft, firedMs, schedule, nextMs }) => {
      const last = come.get(schedule) ?? index.lastFiring(schedule);
      if (last !== undefined && nextMs <= last) {
        again.push(schedule);
        return [];
      }
      if (last !== undefined && firedMs - last > LATE_MS) {
        const [was, is] = [last, firedMs].map((ms) => new Date(ms).toISOString());
        log(
          `schedule ${schedule} was due at ${was} and fired at ${is}; what was due in between is one firing`,
        );
      }
      come.set(schedule, nextMs);
      return [draft];
    });
    if (again.length > 0) {
      log(`${again.length} fired again that the log has, and are left out; the first is ${again[0]}`);
    }
    return due;
  }

  /** The producer, once the index has all that one before it stored. */
  async #opened(): Promise<Producer> {
    if (this.#producer !== undefined) return this.#producer;
    const { jsm, open } = this.options;
    const opened = await open()();
    if (E.isLeft(opened)) throw new FaultError(opened.left);
    this.#producer = opened.right;
    // Nothing of an earlier producer comes behind this.
    const { state } = await jsm.streams.info(LOG);
    await this.#indexed(state.last_seq);
    return opened.right;
  }

  async #indexed(seq: number): Promise<void> {
    if (await this.options.index.reachedWithin(seq, INDEX_WAIT_MS)) return;
    throw new FaultError(fault('LOG_UNAVAILABLE', `the index has not come to record ${seq}`));
  }
}

/** What a command that was scheduled bears. */
const headersOf = (header: (name: string) => string, next: string): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(
    [HEADER.schedule, ...CARRIED].flatMap((name) => (header(name) === '' ? [] : [[name, header(name)]])),
  ),
  ...(next === LAST ? {} : { [HEADER.next]: next }),
});
