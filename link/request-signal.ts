import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { headers as makeHeaders, type NatsConnection } from 'nats';
import type { Fault } from '../schemas/errors.js';
import { type SignalAddress, type StoredSignal, signalSubject } from '../schemas/signal.js';
import { sendRequest } from './request-broker.js';
import { COMMAND_WORDS } from './target-words.js';

/** Sends a signal to an agent; `payload`: JSON, or nothing. Left with LOG_UNCERTAIN, it may be stored. */
export const requestSignal = (
  nc: NatsConnection,
  address: SignalAddress,
  payload: string,
  timeoutMs: number,
  words = COMMAND_WORDS,
): TaskEither<Fault, StoredSignal> =>
  sendRequest<StoredSignal>(nc, {
    subject: signalSubject(address),
    payload,
    headers: makeHeaders(),
    timeoutMs,
    words,
  });
