import type { Manifest } from '../../schemas/manifest.js';
import { ResultErrorSchema } from '../../schemas/result.js';
import { STATIC_CHANNELS } from './broker-channels.js';
import { type AsyncApiPart, channelRef, type DescribedChannel, HEADERS } from './described-channel.js';

/** What people know of a broker before they ask: its address, and the modules that are loaded. */
export interface AsyncApiSource {
  readonly version: string;
  /** `nats://HOST:PORT`. */
  readonly url: string;
  readonly manifests: readonly Manifest[];
}

/** The schemas of manifests are JSON Schema; AsyncAPI names the draft that its tools read. */
const jsonSchema = (schema: unknown): AsyncApiPart => ({
  schemaFormat: 'application/schema+json;version=draft-07',
  schema: schema as AsyncApiPart,
});

const describes = (description: string | undefined): AsyncApiPart =>
  description === undefined ? {} : { description };

const okSchema = (output: unknown): unknown => ({
  type: 'object',
  required: ['status', 'data'],
  properties: { status: { const: 'ok' }, data: output },
});

const AGENT = { agent: 'The agent: 1 to 64 of A-Z a-z 0-9 _ -' };

const actionChannels = ({ name: module, actions }: Manifest): readonly DescribedChannel[] =>
  Object.entries(actions)
    // The other actions are for the module itself, and for the events that it listens to.
    .filter(([, { callers = 'any' }]) => callers === 'any')
    .flatMap(([action, { agent, description, input, output }]) => {
      const [address, parameters] = agent === 'none' ? ['', {}] : ['.{agent}', AGENT];
      const sent = {
        name: `${module}.${action} input`,
        ...describes(description),
        payload: jsonSchema(input),
      };
      const result = { name: `${module}.${action} result`, payload: jsonSchema(okSchema(output)) };
      return [
        {
          id: `call-${module}-${action}`,
          address: `call.${module}.${action}${address}`,
          summary: `Calls ${module}.${action}: stores a command, and replies with its result.`,
          parameters,
          message: { ...sent, headers: HEADERS.call },
          replies: [result, 'Refusal'],
        },
        {
          id: `cmd-${module}-${action}`,
          address: `cmd.${module}.${action}${address}`,
          summary: `Stores a command for ${module}.${action}, and replies with its sequence.`,
          parameters,
          message: { ...sent, headers: HEADERS.call },
          replies: ['Stored', 'Refusal'],
        },
      ];
    });

const eventChannels = ({ name: module, events }: Manifest): readonly DescribedChannel[] =>
  Object.entries(events).map(([event, { description, data }]) => ({
    id: `event-${module}-${event}`,
    address: `live.evt.${module}.${event}.{agent}`,
    summary: `Each event ${module}.${event} as it is stored, while you listen.`,
    parameters: AGENT,
    isHeard: true,
    message: {
      name: `${module}.${event}`,
      ...describes(description),
      headers: HEADERS.live,
      payload: jsonSchema(data),
    },
  }));

const stateChannel = ({ name: module }: Manifest): DescribedChannel => ({
  id: `state-${module}`,
  address: `state.${module}.{agent}`,
  summary: `Replies with the state of an agent of ${module}. Nothing is stored.`,
  parameters: AGENT,
  message: { name: `state of ${module}`, headers: HEADERS.state, payload: { type: 'string', maxLength: 0 } },
  replies: ['State', 'Refusal'],
});

const channelOf = ({ address, summary, parameters, message, replies }: DescribedChannel): AsyncApiPart => ({
  address,
  summary,
  ...(Object.keys(parameters).length === 0
    ? {}
    : {
        parameters: Object.fromEntries(
          Object.entries(parameters).map(([name, description]) => [name, { description }]),
        ),
      }),
  messages: {
    message,
    ...Object.fromEntries(
      (replies ?? []).map((reply, place) => [
        `reply${place + 1}`,
        typeof reply === 'string' ? { $ref: `#/components/messages/${reply}` } : reply,
      ]),
    ),
  },
});

/** The broker is the application: it receives requests, and sends records to those that listen. */
const operationOf = ({ id, summary, isHeard, replies }: DescribedChannel): AsyncApiPart => ({
  action: isHeard === true ? 'send' : 'receive',
  summary,
  channel: channelRef(id),
  messages: [{ $ref: `#/channels/${id}/messages/message` }],
  ...(replies === undefined
    ? {}
    : {
        reply: {
          address: { location: '$message.header#/reply', description: 'The reply subject of the request.' },
          messages: replies.map((_, place) => ({ $ref: `#/channels/${id}/messages/reply${place + 1}` })),
          channel: channelRef(id),
        },
      }),
});

const COMPONENTS: AsyncApiPart = {
  messages: {
    Refusal: {
      name: 'Refusal',
      description: 'The header `Nats-Service-Error-Code` is there.',
      headers: HEADERS.refusal,
      payload: jsonSchema({
        type: 'object',
        required: ['status', 'error'],
        properties: { status: { enum: ['rejected', 'failed', 'expired'] }, error: ResultErrorSchema },
      }),
    },
    Stored: {
      name: 'Stored',
      payload: { type: 'object', required: ['seq'], properties: { seq: { type: 'integer', minimum: 1 } } },
    },
    State: {
      name: 'State',
      payload: {
        type: 'object',
        required: ['module', 'agent', 'seq', 'time', 'schema', 'state'],
        properties: {
          module: { type: 'string' },
          agent: { type: 'string' },
          seq: { type: 'integer', minimum: 1 },
          time: { type: 'string', format: 'date-time' },
          schema: { type: 'integer' },
          state: {},
        },
      },
    },
  },
};

/** What clients send and hear over NATS, in AsyncAPI 3.0. */
export const asyncApiDocument = ({ version, url, manifests }: AsyncApiSource): AsyncApiPart => {
  const described = [
    ...manifests.flatMap((manifest) => [
      ...actionChannels(manifest),
      ...eventChannels(manifest),
      stateChannel(manifest),
    ]),
    ...STATIC_CHANNELS,
  ];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Tallystick',
      version,
      description:
        'Subjects of NATS that a client of this broker may publish to and subscribe to, as its loaded modules declare them. ' +
        'The grants of its token decide which of them it may use.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: { broker: { host: url.replace(/^\w+:\/\//, ''), protocol: 'nats' } },
    channels: Object.fromEntries(described.map((channel) => [channel.id, channelOf(channel)])),
    operations: Object.fromEntries(described.map((channel) => [channel.id, operationOf(channel)])),
    components: COMPONENTS,
  };
};
