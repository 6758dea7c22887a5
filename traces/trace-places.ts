import { HEADER } from '../schemas/headers.js';
import { deliveryOf, EVENTS_SENDER } from '../schemas/heard-events.js';
import { parseSequence } from '../schemas/identity.js';
import { causeOf, conversationOf, type StoredMessage } from '../schemas/record.js';
import { splitSubject } from '../schemas/subjects.js';
import { parseTraceParent } from '../schemas/trace-context.js';
import { isSampled, type Sampler } from '../schemas/trace-sampler.js';
import { LatestMap } from './latest-map.js';
import { spanIdOf, traceIdOf } from './trace-span.js';

/** The trace of a command. */
export interface TraceContext {
  readonly traceId: string;
  readonly state: string;
  /** Whether its spans are exported. */
  readonly sampled: boolean;
}

/** Where a command is in its trace. */
export interface TracePlace {
  readonly context: TraceContext;
  readonly parentSpanId: string | undefined;
}

/** The record at a sequence; undefined: the log has none. Rejects if the log does not answer. */
export type RecordAt = (seq: number) => Promise<StoredMessage | undefined>;

export interface TracePlacesOptions {
  readonly logId: string;
  readonly sampler: Sampler;
  readonly recordAt: RecordAt;
}

const MOST_CONTEXTS = 50_000;
/** Causes that are read from the log to find the trace of one command. A longer chain is mostly known already. */
const MOST_CAUSES = 64;

/**
 * Finds the trace of each command: the one that its own `traceparent` names, else that of the command before it, else
 * that of its conversation. What it does not remember it reads from the log, so a restart changes no trace.
 */
export class TracePlaces {
  readonly #contexts = new LatestMap<TraceContext | null>(MOST_CONTEXTS);

  constructor(private readonly options: TracePlacesOptions) {}

  /** The place of a command. */
  async place(command: StoredMessage, causes = 0): Promise<TracePlace> {
    const place = await this.#find(command, causes);
    this.#contexts.set(command.seq, place.context);
    return place;
  }

  async #find(command: StoredMessage, causes: number): Promise<TracePlace> {
    const { logId, sampler } = this.options;
    const own = parseTraceParent((name) => command.header(name));
    if (own !== undefined) {
      const { traceId, state, spanId } = own;
      const sampled = isSampled(sampler, traceId, own.sampled);
      return { context: { traceId, state, sampled }, parentSpanId: spanId };
    }
    const before = await this.#before(command);
    // A record can name any other. Only what is before it can have caused it, so no chain has a circle.
    const known =
      before === undefined || before >= command.seq ? null : await this.#contextOf(before, causes);
    if (known !== null && before !== undefined)
      return { context: known, parentSpanId: spanIdOf(logId, before) };
    const traceId = traceIdOf(logId, conversationOf(command));
    const sampled = isSampled(sampler, traceId, undefined);
    return { context: { traceId, state: '', sampled }, parentSpanId: undefined };
  }

  /** The command of which this one is a consequence. */
  async #before(command: StoredMessage): Promise<number | undefined> {
    const subject = splitSubject(command.subject);
    if (subject?.kind === 'cmd' && subject.sender === EVENTS_SENDER) {
      const delivery = deliveryOf(subject.module, (name) => command.header(name));
      const event = delivery === undefined ? undefined : await this.options.recordAt(delivery.event);
      if (event !== undefined) return causeOf(event);
    }
    const redrives = parseSequence(command.header(HEADER.redrives) ?? '') ?? undefined;
    return causeOf(command) ?? redrives ?? conversationOf(command);
  }

  /** The trace of a command by its sequence; null: no command is there. */
  async #contextOf(seq: number, causes: number): Promise<TraceContext | null> {
    const kept = this.#contexts.get(seq);
    if (kept !== undefined || causes >= MOST_CAUSES) return kept ?? null;
    const record = await this.options.recordAt(seq);
    if (record !== undefined && splitSubject(record.subject)?.kind === 'cmd')
      return (await this.place(record, causes + 1)).context;
    this.#contexts.set(seq, null);
    return null;
  }
}
