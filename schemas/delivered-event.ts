import { isCompactJson } from './compact-json.js';
import Type, { type Static } from 'typebox';
import type { HeardStretch } from './hearing-record.js';
import { isName } from './names.js';
import { Payload } from './payload.js';
import type { StoredMessage } from './record.js';
import { type LogSubject, splitSubject } from './subjects.js';

/** An event as the handler of a module that listens gets it: the payload of the command that brings it. */
export const DeliveredEventSchema = Type.Object({
  event: Type.String({ description: '`accounts.deposited`.' }),
  agent: Type.Union([Type.String(), Type.Null()], { description: 'null if the event is of no agent.' }),
  seq: Type.Integer({ minimum: 1, description: 'Its sequence in the log.' }),
  time: Type.String({ description: 'When it was stored, RFC 3339.' }),
  data: Type.Unknown({ description: 'What the event carries.' }),
});
export type DeliveredEvent = Readonly<Static<typeof DeliveredEventSchema>>;

const encoder = new TextEncoder();
const CLOSE_OBJECT = 125;

type EventSubject = Exclude<LogSubject, { kind: 'epoch' }>;

/** Subjects of which the first part is kept. */
const MOST_HEADS = 4_096;
const heads = new Map<string, Uint8Array>();

/** What is the same for all events of a subject. */
const headOf = (subject: string): Uint8Array => {
  const known = heads.get(subject);
  if (known !== undefined) return known;
  const { module, name, agent } = splitSubject(subject) as EventSubject;
  const place = JSON.stringify({ event: `${module}.${name}`, agent: agent ?? null });
  const head = encoder.encode(`${place.slice(0, -1)},"seq":`);
  if (heads.size >= MOST_HEADS) heads.clear();
  heads.set(subject, head);
  return head;
};

/** One after the other; `ascii` is ASCII. */
const joined = (head: Uint8Array, ascii: string, data: Uint8Array): Uint8Array => {
  const behind = head.length + ascii.length;
  const whole = new Uint8Array(behind + data.length + 1);
  whole.set(head);
  encoder.encodeInto(ascii, whole.subarray(head.length));
  whole.set(data, behind);
  whole[whole.length - 1] = CLOSE_OBJECT;
  return whole;
};

/**
 * The payload of the command that brings an event. Its data are the stored ones, word for word. What is not JSON is a
 * text of it, and data that do not fit into a record with the rest are left out: the module then refuses them.
 */
export const deliveredPayload = (message: StoredMessage, maxBytes: number): Uint8Array => {
  const { data } = message;
  const head = headOf(message.subject);
  const place = `${message.seq},"time":"${message.time}"`;
  const stored = isCompactJson(data) ? data : encoder.encode(new Payload(data).json);
  const whole = joined(head, `${place},"data":`, stored);
  return whole.length <= maxBytes
    ? whole
    : joined(head, `${place},"tooLarge":${data.length}`, new Uint8Array());
};

/** The value at a JSON Pointer. */
const valueAt = (value: unknown, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (at, part) =>
        typeof at === 'object' && at !== null && Object.hasOwn(at, part)
          ? (at as Readonly<Record<string, unknown>>)[part]
          : undefined,
      value,
    );

/** The name of an agent at a JSON Pointer; undefined: there is none, or nothing that is the name of an agent. */
export const agentNameAt = (data: unknown, pointer: string): string | undefined => {
  const value = valueAt(data, pointer);
  const name = typeof value === 'number' ? String(value) : value;
  return typeof name === 'string' && isName(name) ? name : undefined;
};

/** The agent that handles an event; undefined: the event names none, or nothing that is the name of an agent. */
export const hearingAgent = (
  message: StoredMessage,
  { agent: pointer }: Pick<HeardStretch, 'agent'>,
): string | undefined => {
  if (pointer === undefined) return (splitSubject(message.subject) as EventSubject).agent;
  return agentNameAt(new Payload(message.data).value, pointer);
};
