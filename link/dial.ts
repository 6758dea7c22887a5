import { type ConnectionOptions, connect, type NatsConnection } from 'nats';
import { markOpened, patchable } from './client-insides.js';
import { keepAlive } from './keepalive.js';
import { type Delivered, readByOurselves } from './message-headers.js';
import { bridgeReloads } from './reload-gap.js';
import { redial } from './redial.js';
import { openWriteLane } from './write-lane.js';
import { sayThrown, tellThrown } from './callback-faults.js';

/** The options of the NATS client, and the pause before a lost connection is dialled again. */
export interface DialOptions extends ConnectionOptions {
  /** The approximate pause before the connection is dialled again, in milliseconds. */
  readonly redialMs: number;
  /** Gets each exception that a subscription's callback threw; default: a line on standard error. */
  readonly onThrown?: (text: string) => void;
}

/**
 * An exception in a callback of the client ends the client's read loop. The client prints it on standard output, and
 * this process gets nothing more from the server until the connection is found silent, some 18 s later. So no
 * callback throws, and no message has headers that throw when they are read. Source: nats-core 3.4,
 * `ProtocolHandler.dial` and `MsgImpl.headers`.
 */
const guardReading = (nc: NatsConnection): void => {
  const subscriptions = patchable(nc)?.subscriptions;
  const add = subscriptions?.add?.bind(subscriptions);
  if (subscriptions === undefined || add === undefined)
    throw new Error('this version of @nats-io/nats-core is not known: one bad header would end its reading');
  subscriptions.add = (subscriber) => {
    const { callback } = subscriber;
    subscriber.callback = (error, message) => {
      try {
        if (error === null) readByOurselves(message as Delivered);
        callback.call(subscriber, error, message);
      } catch (thrown) {
        sayThrown(nc, `a message on ${subscriber.subject ?? '?'} was left out`, thrown);
      }
    };
    return add(subscriber);
  };
};

/**
 * Connects to a server, and dials again for ever when the connection is lost. All our processes connect with this
 * function: no message on such a connection ends its reading. Throws what the client throws.
 */
export const dial = async ({ redialMs, onThrown, ...options }: DialOptions): Promise<NatsConnection> => {
  // For each request, the client would make two errors with their stacks, in case it fails: a tenth of what it costs.
  const nc = await connect({ ...redial(redialMs), noAsyncTraces: true, ...options });
  tellThrown(nc, onThrown);
  markOpened(nc);
  guardReading(nc);
  openWriteLane(nc);
  bridgeReloads(nc);
  keepAlive(nc);
  return nc;
};
