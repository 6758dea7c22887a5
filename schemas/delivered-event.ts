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

type EventSubject = Exclude<LogSubject, { kind: 'epoch' }>;

/**
 * The payload of the command that brings an event. Its data are the stored ones, word for word. What is not JSON is a
 * text of it, and data that do not fit into a record with the rest are left out: the module then refuses them.
 */
export const deliveredPayload = (message: StoredMessage, maxBytes: number): Uint8Array => {
  const { module, name, agent } = splitSubject(message.subject) as EventSubject;
  const head = JSON.stringify({
    event: `${module}.${name}`,
    agent: agent ?? null,
    seq: message.seq,
    time: message.time,
  }).slice(0, -1);
  const whole = encoder.encode(`${head},"data":${new Payload(message.data).json}}`);
  return whole.length <= maxBytes ? whole : encoder.encode(`${head},"tooLarge":${message.data.length}}`);
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
