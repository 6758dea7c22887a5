import { left } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { headers as makeHeaders, type NatsConnection } from 'nats';
import { type Fault, fault } from '../schemas/errors.js';
import { parsePromiseId, type PromiseVerb, promiseSubject } from '../schemas/promise.js';
import { sendRequest } from './request-broker.js';
import { COMMAND_WORDS } from './target-words.js';

/** Ends a promise; `payload`: JSON of its value, or the text of its rejection. Left with LOG_UNCERTAIN, it may have. */
export const requestPromise = (
  nc: NatsConnection,
  { verb, id }: { readonly verb: PromiseVerb; readonly id: string },
  payload: string,
  timeoutMs: number,
  words = COMMAND_WORDS,
): TaskEither<Fault, { readonly ok: true }> =>
  parsePromiseId(id) === undefined
    ? async () => left(fault('PROMISE_UNKNOWN', `${JSON.stringify(id.slice(0, 64))} is no id of a promise`))
    : sendRequest<{ readonly ok: true }>(nc, {
        subject: promiseSubject(verb, id),
        payload,
        headers: makeHeaders(),
        timeoutMs,
        words,
      });
