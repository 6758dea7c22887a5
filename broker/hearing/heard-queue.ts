import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { covers, eventIn } from '../../schemas/heard-events.js';
import type { WholeMessage } from '../../schemas/record.js';
import type { BrokerReader } from '../reader/broker-reader.js';
import { countEvents } from './count-events.js';
import { type HeardPage, PastEvents } from './past-events.js';

/** Events that are kept in memory until their turn: what is above is read from the log when it comes to that. */
const MOST_EVENTS = 4_096;
const MOST_BYTES = 8 * 1024 * 1024;
/** Subjects of which it is known whether they are heard. */
const MOST_KNOWN = 4_096;

export interface HeardQueueOptions {
  readonly nc: NatsConnection;
  readonly reader: Pick<BrokerReader, 'on' | 'position'>;
  /** There is something new. */
  readonly onEvents: () => void;
  /** Only events of this agent. */
  readonly agent?: string | undefined;
  /** Events that are kept in memory; the default is for a module. */
  readonly most?: { readonly events: number; readonly bytes: number };
}

/**
 * The events that one module listens to, from any place of the log on. New ones come from the reader of the broker,
 * what is further back is read from the log.
 */
export class HeardQueue {
  readonly #forget: () => void;
  readonly #pastEvents: PastEvents;
  #names: readonly string[] = [];
  /** Which subjects were judged. */
  readonly #known = new Map<string, boolean>();
  #events: WholeMessage[] = [];
  #bytes = 0;
  /** All events behind this sequence, up to where the reader is, are in the queue. */
  #from: number;

  constructor(private readonly options: HeardQueueOptions) {
    this.#from = options.reader.position;
    this.#pastEvents = new PastEvents(options.nc);
    this.#forget = options.reader.on('records', (records) => this.#read(records));
  }

  /** Listens to these from now on: `accounts.deposited`, `accounts.>`. */
  listenTo(entries: readonly string[]): void {
    // Of an entry that has ended and begun again there are two.
    const names = [...new Set(entries)];
    if (names.join(' ') === this.#names.join(' ')) return;
    this.#names = names;
    this.#known.clear();
    this.#pastEvents.close();
    this.#dropTo(this.options.reader.position);
  }

  close(): void {
    this.#forget();
    this.#pastEvents.close();
    this.#names = [];
    this.#events = [];
  }

  /** The next events behind a sequence: so many at most; fewer only where there are no more. */
  async page(after: number, limit: number): Promise<HeardPage> {
    if (after < this.#from) return this.#past(after, limit);
    const first = this.#events.findIndex(({ seq }) => seq > after);
    // What is before was delivered.
    this.#take(first === -1 ? this.#events.length : first);
    this.#from = after;
    const upTo = this.options.reader.position;
    const events = this.#events.slice(0, limit);
    const last = events.at(-1);
    return { events, upTo: last === undefined || events.length < limit ? Math.max(after, upTo) : last.seq };
  }

  /** How many events there are behind a sequence. */
  async waiting(after: number, jsm: JetStreamManager): Promise<number> {
    if (after >= this.#from) return this.#events.filter(({ seq }) => seq > after).length;
    return countEvents(jsm, this.#names, after, this.options.agent);
  }

  async #past(after: number, limit: number): Promise<HeardPage> {
    const filters = this.#subjects();
    const toSeq = this.#from;
    if (filters.length === 0) return { events: [], upTo: toSeq };
    const mostBytes = this.options.most?.bytes ?? MOST_BYTES;
    return this.#pastEvents.page({ filters, after, toSeq, isHeard: this.#isHeard, limit, mostBytes });
  }

  /**
   * One filter for each module: to find the next record for several subjects of one, nats-server 2.15.1 goes through
   * the subjects of a block. Events that were not asked for are left out later.
   */
  #subjects(): readonly string[] {
    const { agent } = this.options;
    const rest = agent === undefined ? '>' : `*.${agent}`;
    return [...new Set(this.#names.map((name) => `evt.${name.split('.', 1)[0]}.${rest}`))];
  }

  #read(records: readonly WholeMessage[]): void {
    if (this.#names.length === 0) {
      this.#from = records.at(-1)?.seq ?? this.#from;
      return;
    }
    const before = this.#events.length;
    for (const record of records) {
      if (!record.subject.startsWith('evt.') || !this.#isHeard(record.subject)) continue;
      this.#events.push(record);
      this.#bytes += record.data.length;
    }
    const { most } = this.options;
    if (this.#events.length > (most?.events ?? MOST_EVENTS) || this.#bytes > (most?.bytes ?? MOST_BYTES))
      this.#dropTo(records.at(-1)?.seq ?? 0);
    if (this.#events.length !== before) this.options.onEvents();
  }

  /** Many events have the same few subjects. */
  #isHeard = (subject: string): boolean => {
    const known = this.#known.get(subject);
    if (known !== undefined) return known;
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    const isHeard = this.#judge(subject);
    this.#known.set(subject, isHeard);
    return isHeard;
  };

  #judge(subject: string): boolean {
    const { agent } = this.options;
    if (agent !== undefined && !(subject.endsWith(agent) && subject.split('.')[3] === agent)) return false;
    const event = eventIn(subject);
    return event !== undefined && this.#names.some((name) => covers(name, event));
  }

  #dropTo(seq: number): void {
    this.#events = [];
    this.#bytes = 0;
    this.#from = seq;
  }

  #take(count: number): void {
    if (count === 0) return;
    for (const { data } of this.#events.splice(0, count)) this.#bytes -= data.length;
  }
}
