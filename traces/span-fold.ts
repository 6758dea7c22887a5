import { HEADER } from '../schemas/headers.js';
import { parseSequence } from '../schemas/identity.js';
import { partOrInvalid } from '../schemas/names.js';
import { causeOf, conversationOf, type StoredMessage } from '../schemas/record.js';
import { type CommandSubject, type LogSubject, splitSubject } from '../schemas/subjects.js';
import { printable } from '../text/printable.js';
import { LatestMap } from './latest-map.js';
import { type RecordBody, recordBody, resultBody } from './record-body.js';
import { type TraceSpan, spanIdOf, type SpanValue } from './trace-span.js';
import { type TracePlace, TracePlaces, type TracePlacesOptions } from './trace-places.js';

/** A command without a result. */
interface TracedCommand {
  readonly seq: number;
  readonly subject: CommandSubject;
  readonly startNanos: bigint;
  readonly place: TracePlace;
  readonly attributes: Readonly<Record<string, SpanValue>>;
  /** When the last of its operations ended. */
  lastNanos: bigint;
  /** Its waits that are not over, by their numbers. */
  readonly waits: Map<number, TracedWait>;
}

interface TracedWait {
  readonly seq: number;
  readonly name: string;
  readonly startNanos: bigint;
}

const MOST_OPEN = 50_000;
/** Waits of one command at the same time. */
const MOST_WAITS = 1_000;

/** The subject of a record that a handler's command causes. */
type HandlerSubject = Exclude<LogSubject, { readonly kind: 'cmd' | 'epoch' }>;
type HandlerKind = 'res' | 'step' | 'wake';

/** Nanoseconds since 1970. A reader of single records knows milliseconds. */
const nanosOf = (message: StoredMessage & { readonly nanos?: string }): bigint =>
  message.nanos === undefined
    ? BigInt(Math.round((message.timeUs ?? message.timeMs * 1_000) * 1_000))
    : BigInt(message.nanos);

const later = (a: bigint, b: bigint): bigint => (a > b ? a : b);

const part = (text: string): string => partOrInvalid(text);

const numberIn = (message: StoredMessage, name: string): number | undefined =>
  parseSequence(message.header(name) ?? '') ?? undefined;

const attributesOf = (command: StoredMessage, subject: CommandSubject): Record<string, SpanValue> => {
  const [module, action] = [part(subject.module), part(subject.name)];
  const redrives = numberIn(command, HEADER.redrives);
  const conversation = conversationOf(command);
  const cause = causeOf(command);
  return {
    'messaging.system': 'tallystick',
    'messaging.destination.name': `${module}.${action}`,
    'messaging.operation.name': 'handle',
    'messaging.operation.type': 'process',
    'messaging.message.id': `${command.seq}`,
    'messaging.message.conversation_id': `${conversation}`,
    'tallystick.sequence': command.seq,
    'tallystick.conversation': conversation,
    'tallystick.module': module,
    'tallystick.action': action,
    ...(subject.agent === undefined ? {} : { 'tallystick.agent': part(subject.agent) }),
    'tallystick.sender': printable(subject.sender).slice(0, 128),
    ...(cause === undefined ? {} : { 'tallystick.cause': cause }),
    ...(redrives === undefined ? {} : { 'tallystick.redrives': redrives }),
  };
};

const failureOf = ({ code }: RecordBody): Record<string, SpanValue> =>
  code === undefined ? {} : { 'error.type': code, 'tallystick.code': code };

/**
 * Makes spans of the records of a log, in its order: one for each command with its result, one for each step and one
 * for each wait. The log has all of it, so nothing is written for traces.
 */
export class SpanFold {
  readonly #open = new LatestMap<TracedCommand>(MOST_OPEN);
  readonly #places: TracePlaces;

  constructor(private readonly options: TracePlacesOptions) {
    this.#places = new TracePlaces(options);
  }

  /** The lowest sequence of a command without a result; undefined: there is none. */
  get oldestOpen(): number | undefined {
    return this.#open.lowest();
  }

  /** The span that a record ends; undefined: none. Rejects as `recordAt` does. */
  async add(message: StoredMessage): Promise<TraceSpan | undefined> {
    const subject = splitSubject(message.subject);
    if (subject === undefined) return undefined;
    switch (subject.kind) {
      case 'cmd':
        this.#open.set(message.seq, await this.#command(message, subject));
        return undefined;
      case 'res':
      case 'step':
      case 'wake':
        return this.#ofHandler(message, subject, subject.kind);
      default:
        return undefined;
    }
  }

  async #command(message: StoredMessage, subject: CommandSubject): Promise<TracedCommand> {
    const startNanos = nanosOf(message);
    return {
      seq: message.seq,
      subject,
      startNanos,
      place: await this.#places.place(message),
      attributes: attributesOf(message, subject),
      lastNanos: startNanos,
      waits: new Map(),
    };
  }

  /** A command that is not in memory: the broker was started again, or there are too many. */
  async #fetched(seq: number): Promise<TracedCommand | undefined> {
    const message = await this.options.recordAt(seq);
    const subject = message === undefined ? undefined : splitSubject(message.subject);
    if (message === undefined || subject?.kind !== 'cmd') return undefined;
    const command = await this.#command(message, subject);
    this.#open.set(seq, command);
    return command;
  }

  async #ofHandler(
    message: StoredMessage,
    subject: HandlerSubject,
    kind: HandlerKind,
  ): Promise<TraceSpan | undefined> {
    const cause = causeOf(message);
    if (cause === undefined || cause >= message.seq) return undefined;
    const command = this.#open.get(cause) ?? (await this.#fetched(cause));
    // As the subject of a result has it: what is no name is `_` there.
    if (
      command === undefined ||
      subject.module !== part(command.subject.module) ||
      subject.name !== part(command.subject.name)
    )
      return undefined;
    return this.#spanOf(message, kind, command);
  }

  #spanOf(message: StoredMessage, kind: HandlerKind, command: TracedCommand): TraceSpan | undefined {
    if (kind === 'res') return this.#result(message, command);
    const endNanos = later(nanosOf(message), command.lastNanos);
    const body = recordBody(message.data);
    const call = numberIn(message, HEADER.call) ?? 0;
    const startNanos = command.lastNanos;
    command.lastNanos = endNanos;
    if (kind === 'wake') {
      const wait = command.waits.get(call);
      command.waits.delete(call);
      const from = wait ?? { seq: message.seq, name: 'wait', startNanos: endNanos };
      return this.#inside(message, command, { ...from, endNanos, body, what: 'wait' });
    }
    const name = printable(body.name ?? 'step');
    if (body.status !== 'waiting')
      return this.#inside(message, command, {
        seq: message.seq,
        name,
        startNanos,
        endNanos,
        body,
        what: 'step',
      });
    if (command.waits.size < MOST_WAITS)
      command.waits.set(call, { seq: message.seq, name, startNanos: endNanos });
    return undefined;
  }

  #result(message: StoredMessage, command: TracedCommand): TraceSpan {
    const { seq, subject, place, attributes, startNanos } = command;
    this.#open.delete(seq);
    const endNanos = later(nanosOf(message), startNanos);
    const cause = Number(attributes['tallystick.cause'] ?? 0);
    const caller = this.#open.get(cause);
    if (caller !== undefined) caller.lastNanos = later(caller.lastNanos, endNanos);
    const body = resultBody(message.data);
    const dead = numberIn(message, HEADER.dead);
    return {
      traceId: place.context.traceId,
      spanId: spanIdOf(this.options.logId, seq),
      parentSpanId: place.parentSpanId,
      state: place.context.state,
      sampled: place.context.sampled,
      name: `${part(subject.module)}.${part(subject.name)}`,
      kind: 'consumer',
      startNanos,
      endNanos,
      attributes: {
        ...attributes,
        'tallystick.result': message.seq,
        'tallystick.status': body.status,
        ...(dead === undefined ? {} : { 'tallystick.dead_letter': true, 'tallystick.attempts': dead }),
        ...failureOf(body),
      },
      error: body.code,
      module: part(subject.module),
      endedBy: message.seq,
    };
  }

  #inside(
    message: StoredMessage,
    { seq: command, subject, place }: TracedCommand,
    {
      seq,
      name,
      startNanos,
      endNanos,
      body,
      what,
    }: TracedWait & { endNanos: bigint; body: RecordBody; what: string },
  ): TraceSpan {
    const { logId } = this.options;
    return {
      traceId: place.context.traceId,
      spanId: spanIdOf(logId, seq),
      parentSpanId: spanIdOf(logId, command),
      state: place.context.state,
      sampled: place.context.sampled,
      name: what === 'wait' ? `wait ${name}` : `step ${name}`,
      kind: 'internal',
      startNanos,
      endNanos,
      attributes: {
        'tallystick.operation': what,
        'tallystick.sequence': seq,
        'tallystick.command': command,
        'tallystick.module': part(subject.module),
        'tallystick.status': body.status,
        ...(body.attempts === undefined ? {} : { 'tallystick.attempts': body.attempts }),
        ...failureOf(body),
      },
      error: body.code,
      module: part(subject.module),
      endedBy: message.seq,
    };
  }
}
