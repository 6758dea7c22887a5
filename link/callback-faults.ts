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

/** Says where what a connection's callbacks throw is told; without it, a line on standard error tells of it. */
export const tellThrown = (nc: NatsConnection, say: (text: string) => void = toStandardError): void => {
  told.set(nc, new Seldom(say));
};

/** Tells, once in a while, that a callback of this connection threw. Never throws. */
export const sayThrown = (nc: NatsConnection, what: string, thrown: unknown): void => {
  if (!told.has(nc)) tellThrown(nc);
  const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  told.get(nc)?.say(`${what}: ${text.slice(0, MAX_STACK)}`);
};

/** Why a pull or a reader goes no further whose owner threw. */
export const thrownFault = (what: string, thrown: unknown): Fault => {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return fault('INTERNAL', `${what} threw: ${text.slice(0, MAX_STACK)}`);
};
