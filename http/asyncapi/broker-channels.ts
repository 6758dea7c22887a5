import { type DescribedChannel, HEADERS } from './described-channel.js';

const NOTHING = { type: 'string', maxLength: 0 };
const MODULE = 'The module.';

/** What a broker serves for all modules; the table of subjects in docs/reference/protocol.md has more on each. */
export const STATIC_CHANNELS: readonly DescribedChannel[] = [
  {
    id: 'result',
    address: 'result.{sequence}',
    summary: 'Waits for the result of a command that you have sent.',
    parameters: { sequence: 'The sequence of the command.' },
    message: { name: 'request for a result', payload: NOTHING },
    replies: [{ name: 'result', payload: { type: 'object', required: ['status'] } }, 'Refusal'],
  },
  {
    id: 'cancel',
    address: 'cancel.{sequence}',
    summary: 'Cancels a command.',
    parameters: { sequence: 'The sequence of the command.' },
    message: { name: 'request to cancel', payload: {} },
    replies: [{ name: 'cancelled', payload: { type: 'object' } }, 'Refusal'],
  },
  {
    id: 'signal',
    address: 'signal.{module}.{name}.{agent}',
    summary: 'Sends a signal to the handlers of an agent that wait for it.',
    parameters: { module: MODULE, name: 'The name of the signal.', agent: 'The agent.' },
    message: { name: 'signal', payload: {} },
    replies: ['Stored', 'Refusal'],
  },
  {
    id: 'promise',
    address: 'promise.{end}.{id}',
    summary: 'Ends a promise that a handler has made.',
    parameters: { end: '`resolve` or `reject`.', id: 'The id of the promise.' },
    message: { name: 'value of the promise', payload: {} },
    replies: [{ name: 'ended', payload: { type: 'object' } }, 'Refusal'],
  },
  {
    id: 'subscription',
    address: 'subscription.{act}.{name}',
    summary: 'Opens a subscription, takes events from it, acknowledges them, or deletes it.',
    parameters: { act: '`open`, `next`, `ack` or `delete`.', name: 'The name of the subscription.' },
    message: { name: 'request of a subscription', payload: { type: 'object' } },
    replies: [{ name: 'reply of a subscription', payload: { type: 'object' } }, 'Refusal'],
  },
  {
    id: 'live',
    address: 'live.{kind}.{module}.{name}.{agent}',
    summary: 'Each record of the log as it is stored, while you listen. `live.>` has all of them.',
    parameters: {
      kind: '`cmd`, `res`, `evt` or another kind of record.',
      module: MODULE,
      name: 'The action or the event.',
      agent: 'The agent; absent for the module itself.',
    },
    isHeard: true,
    message: { name: 'record', headers: HEADERS.live, payload: {} },
  },
];
