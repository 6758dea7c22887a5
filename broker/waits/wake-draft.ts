import type { Draft } from '../../journal/append/draft.js';
import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { MAX_PROMISE_BYTES, type PromiseVerb } from '../../schemas/promise.js';
import { HEADER } from '../../schemas/headers.js';
import { encodeJson, jsonOrText, parseJson } from '../../schemas/json.js';
import { type Signal, type SignalAddress, signalSubject } from '../../schemas/signal.js';
import { wakeSubject } from '../../schemas/subjects.js';
import type { Wake } from '../../schemas/wake.js';
import type { OpenCommand } from '../index/open-commands.js';
import type { OpenWait } from '../index/open-waits.js';

/** What ends a wait that is due. */
export const dueWake = ({ signal, promise }: OpenWait): Wake => {
  if (promise !== undefined) {
    const { code, message } = fault('PROMISE_TIMEOUT', 'nobody ended the promise in time');
    return { status: 'failed', error: { code, message } };
  }
  if (signal === undefined) return { status: 'ok' };
  const { code, message } = fault('SIGNAL_TIMEOUT', `the signal ${signal.name} did not come in time`);
  return { status: 'failed', error: { code, message } };
};

/** What ends a wait for a signal, by the body of the signal's record. */
export const signalledWake = (body: Uint8Array | undefined): Wake => {
  const { data } = (body === undefined ? {} : jsonOrText(body)) as Partial<Signal>;
  return { status: 'ok', ...(data === undefined ? {} : { value: data }) };
};

/** What ends a promise, by what the holder of its id sent. */
export const settledWake = (verb: PromiseVerb, payload: Uint8Array): E.Either<Fault, Wake> => {
  if (payload.length > MAX_PROMISE_BYTES) {
    const text = `the promise gets ${payload.length} bytes, it may get ${MAX_PROMISE_BYTES}`;
    return E.left(fault('PAYLOAD_TOO_LARGE', text));
  }
  if (verb === 'reject') {
    const message = Buffer.from(payload).toString('utf8') || 'without a reason';
    return E.right({ status: 'failed', error: { code: 'PROMISE_REJECTED', message } });
  }
  if (payload.length === 0) return E.right({ status: 'ok' });
  return E.map((value): Wake => ({ status: 'ok', value }))(parseJson(payload));
};

/** The record of a signal. */
export const signalDraft = (address: SignalAddress, signal: Signal): Draft => ({
  subject: signalSubject(address),
  data: encodeJson(signal),
  headers: {},
});

/** The record that ends a wait; undefined: its command is answered meanwhile. `signal`: the signal that it takes. */
export const wakeDraft = (
  command: OpenCommand | undefined,
  { cause, call }: OpenWait,
  wake: Wake,
  signal?: number,
): Draft | undefined => {
  if (command === undefined) return undefined;
  const { module, name, agent, conversation } = command;
  return {
    subject: wakeSubject({ module, name, ...(agent === undefined ? {} : { agent }) }),
    data: encodeJson(wake),
    headers: {
      [HEADER.cause]: String(cause),
      [HEADER.call]: String(call),
      [HEADER.conversation]: String(conversation),
      // By this wake the handler meets the cancel of its command.
      ...(wake.status === 'failed' && wake.error.code === 'CANCELLED'
        ? { [HEADER.cancelled]: String(command.cancel) }
        : {}),
      ...(signal === undefined ? {} : { [HEADER.signal]: String(signal) }),
    },
  };
};
