import type { NatsConnection } from 'nats';
import { type Fault, fault } from '../schemas/errors.js';
import { printableText } from '../text/printable.js';
import { Seldom } from '../system/lines/seldom.js';

/** Characters of a stack that are shown. */
const MAX_STACK = 4_096;

const told = new WeakMap<NatsConnection, Seldom>();

const toStandardError = (text: string): void => {
  process.stderr.write(`${printableText(text)}\n`);
};

/** Sets the listener for exceptions of a connection's callbacks. Without it, they are reported on standard error. */
export const tellThrown = (nc: NatsConnection, say: (text: string) => void = toStandardError): void => {
  told.set(nc, new Seldom(say));
};

/** Reports, at most once in a while, that a callback of this connection threw. Never throws. */
export const sayThrown = (nc: NatsConnection, what: string, thrown: unknown): void => {
  if (!told.has(nc)) tellThrown(nc);
  const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  told.get(nc)?.say(`${what}: ${text.slice(0, MAX_STACK)}`);
};

/** The fault of a pull or a reader whose owner threw. */
export const callbackFault = (what: string, thrown: unknown): Fault => {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return fault('INTERNAL', `${what} threw: ${text.slice(0, MAX_STACK)}`);
};
