import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { readLogBatches } from '../../journal/read/reader.js';
import { covers, deliveryOf, eventIn, hearingSubject } from '../../schemas/heard-events.js';
import {
  dueBy,
  type HeardStretch,
  type HearingRecord,
  HearingRecordSchema,
  stretchesAt,
} from '../../schemas/hearing-record.js';
import { parseJson } from '../../schemas/json.js';
import type { StoredMessage } from '../../schemas/record.js';
import { splitSubject } from '../../schemas/subjects.js';
import { compileOnUse } from '../../schemas/validate.js';
import type { Findings } from './findings.js';
import { SequenceSet } from './sequence-pages.js';

const check = compileOnUse<HearingRecord>(HearingRecordSchema, 'LOG_UNAVAILABLE', 'what a module listens to');

/** What the log says of one module that listens. */
class ListenerCheck {
  stretches: readonly HeardStretch[] = [];
  /** Sequence of the last record that says what it listens to. */
  said = 0;
  /** All that was due up to here is delivered, as its last delivery says. */
  floor = 0;
  readonly delivered = new SequenceSet(1);
  readonly found = new SequenceSet(1);
  deliveries = 0;
  events = 0;
  /** The last event of each agent that was delivered. */
  readonly last = new Map<string, number>();

  constructor(readonly name: string) {}

  /** Whether the log says that the event was delivered. */
  claims(event: string, seq: number): boolean {
    const isOver = this.stretches.some(
      ({ events, first, after }) => covers(events, event) && seq > first && seq <= after,
    );
    return isOver || (seq <= this.floor && dueBy(this.stretches, event, seq) !== undefined);
  }

  knows(event: string, seq: number): boolean {
    return this.claims(event, seq) || dueBy(this.stretches, event, seq) !== undefined;
  }
}

/** Reads what of the log is about events that modules listen to, and matches each event with its command. */
class HearingVerifier {
  readonly #listeners = new Map<string, ListenerCheck>();

  constructor(
    private readonly nc: NatsConnection,
    private readonly apiPrefix: string,
    private readonly toSeq: number,
    private readonly findings: Findings,
  ) {}

  async run(): Promise<void> {
    await this.#each([hearingSubject('*')], false, (message) => this.#said(message));
    if (this.#listeners.size === 0) return;
    await this.#deliveries((listener, message) => this.#delivered(listener, message));
    await this.#each(this.#heardFilters(), true, (message) => this.#event(message));
    const isWithout = [...this.#listeners.values()].some(({ deliveries, events }) => events < deliveries);
    if (isWithout) await this.#deliveries((listener, message) => this.#without(listener, message));
  }

  async #each(
    filters: readonly string[],
    headersOnly: boolean,
    visit: (message: StoredMessage) => void,
  ): Promise<void> {
    const { nc, apiPrefix, toSeq } = this;
    if (filters.length === 0 || toSeq === 0) return;
    for await (const batch of readLogBatches(nc, { filters, toSeq, apiPrefix, headersOnly }))
      for (const message of batch) visit(message);
  }

  async #deliveries(visit: (listener: string, message: StoredMessage) => void): Promise<void> {
    // Listener by listener: to find the next record for several subjects the server takes long.
    for (const name of [...this.#listeners.keys()])
      await this.#each([`cmd.${name}.>`], true, (message) => visit(name, message));
  }

  #of(name: string): ListenerCheck {
    const known = this.#listeners.get(name) ?? new ListenerCheck(name);
    this.#listeners.set(name, known);
    return known;
  }

  #said(message: StoredMessage): void {
    const subject = splitSubject(message.subject);
    if (subject?.kind !== 'evt' || subject.agent === undefined) return;
    const json = parseJson(message.data);
    const record = isLeft(json) ? json : check(json.right);
    if (isLeft(record)) {
      const detail = `it does not say what ${subject.agent} listens to: ${record.left.message}`;
      this.findings.add('unattributed', message.seq, subject.agent, detail);
      return;
    }
    const listener = this.#of(subject.agent);
    listener.stretches = stretchesAt(record.right, message.seq);
    listener.said = message.seq;
  }

  #delivered(name: string, message: StoredMessage): void {
    const delivery = deliveryOf(name, (header) => message.header(header));
    // A redrive of a dead letter has the same subject.
    if (delivery === undefined) return;
    const listener = this.#of(name);
    const { event, floor } = delivery;
    if (listener.delivered.has(event)) {
      const detail = `${name} was brought event ${event} before`;
      this.findings.add('duplicated', message.seq, name, detail);
      return;
    }
    listener.delivered.add(event);
    listener.deliveries += 1;
    if (message.seq < listener.said) return;
    listener.floor = Math.max(listener.floor, floor);
    const lane = message.subject.split('.').slice(3, -1).join('.');
    const last = listener.last.get(lane) ?? 0;
    if (event < last) {
      const detail = `${lane === '' ? name : `agent ${lane} of ${name}`} was brought event ${event} behind ${last}`;
      this.findings.add('reordered', message.seq, name, detail);
    }
    listener.last.set(lane, event);
  }

  #heardFilters(): readonly string[] {
    const all = [...this.#listeners.values()].flatMap(({ stretches }) =>
      stretches.map(({ events }) => events),
    );
    return [...new Set(all.map((events) => `evt.${events.split('.', 1)[0]}.>`))];
  }

  #event(message: StoredMessage): void {
    const event = eventIn(message.subject);
    if (event === undefined) return;
    for (const listener of this.#listeners.values()) {
      const { name, delivered } = listener;
      if (delivered.has(message.seq)) {
        if (!listener.knows(event, message.seq)) continue;
        listener.found.add(message.seq);
        listener.events += 1;
      } else if (listener.claims(event, message.seq)) {
        const detail = `${name} listens to ${event}, and was brought later events without this one`;
        this.findings.add('missing', message.seq, name, detail);
      }
    }
  }

  #without(name: string, message: StoredMessage): void {
    const delivery = deliveryOf(name, (header) => message.header(header));
    if (delivery === undefined || this.#of(name).found.has(delivery.event)) return;
    const detail = `${name} was brought event ${delivery.event}, which is no event that it listens to`;
    this.findings.add('orphanEvent', message.seq, name, detail);
  }
}

/**
 * I10: each event is brought once to each module that listens to it, in the order of its agent, and nothing else is.
 * Each is a command, so that the rest of its handling is verified as that of any command.
 */
export const verifyHearings = (
  nc: NatsConnection,
  apiPrefix: string,
  toSeq: number,
  findings: Findings,
): Promise<void> => new HearingVerifier(nc, apiPrefix, toSeq, findings).run();
