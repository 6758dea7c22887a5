import { HEADER } from '../../schemas/headers.js';

/** A part of a document of AsyncAPI. */
export type AsyncApiPart = Readonly<Record<string, unknown>>;

/** A subject that clients publish to or subscribe to. */
export interface DescribedChannel {
  /** Unique in the document. */
  readonly id: string;
  /** The subject; a part in braces is a parameter. */
  readonly address: string;
  readonly summary: string;
  /** Descriptions, by name. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The broker publishes it; otherwise it is a request to the broker. */
  readonly isHeard?: boolean;
  readonly message: AsyncApiPart;
  /** Messages, or names of messages that many channels have. */
  readonly replies?: readonly (AsyncApiPart | string)[];
}

export const channelRef = (id: string): AsyncApiPart => ({ $ref: `#/channels/${id}` });

const headers = (described: Readonly<Record<string, string>>): AsyncApiPart => ({
  type: 'object',
  properties: Object.fromEntries(
    Object.entries(described).map(([name, description]) => [name, { type: 'string', description }]),
  ),
});

/** Headers of messages, by what they are for. */
export const HEADERS = {
  call: headers({
    [HEADER.key]: 'Commands of one sender with the same key are one command, for 24 hours.',
    [HEADER.deadline]: 'RFC 3339 time; after it, no module handles the command.',
    [HEADER.priority]: '`urgent` or `normal`.',
    [HEADER.conversation]: 'The conversation that the command belongs to.',
    [HEADER.trace]: 'W3C trace context.',
    [HEADER.traceState]: 'W3C trace context.',
  }),
  state: headers({ [HEADER.atLeast]: 'The state must have all results up to this sequence.' }),
  live: headers({
    [HEADER.storedSequence]: 'The sequence of the record.',
    [HEADER.storedSubject]: 'Its subject in the log.',
    [HEADER.storedTime]: 'When it was stored.',
  }),
  refusal: headers({
    [HEADER.serviceError]: 'What is wrong.',
    [HEADER.serviceErrorCode]: 'The code that a NATS service has for the error.',
  }),
} as const;
