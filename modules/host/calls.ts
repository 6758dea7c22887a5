import * as E from 'fp-ts/lib/Either.js';
import { headers as makeHeaders, type NatsConnection } from 'nats';
import { isClientError } from '../../link/client-error.js';
import { linkState } from '../../link/link-state.js';
import { linkedRequest } from '../../link/linked-request.js';
import { neverSent } from '../../link/never-sent.js';
import { headerOf } from '../../link/message-headers.js';
import type { ErrorCode } from '../../schemas/error-table.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { type Refusal, type Result, refusal } from '../../schemas/result.js';
import { type Address, callSubject } from '../../schemas/subjects.js';
import { pause } from '../../system/async/pause.js';
import { Backoff } from '../../system/async/backoff.js';

/** A call that a handler makes: its cause and its number among the handler's calls identify it permanently. */
export interface HandlerCall {
  readonly target: Address;
  /** Its payload. */
  readonly body: Uint8Array;
  readonly cause: number;
  readonly call: number;
  /** As urgent as the command whose handler makes it, which would wait for it otherwise. */
  readonly urgent: boolean;
  readonly signal: AbortSignal;
}

/** What a call came to. */
export interface CallAnswer {
  readonly said: E.Either<Refusal, unknown>;
  /** Whether the log has its command; undefined if unknown. */
  readonly isRecorded: boolean | undefined;
  /** The sequence of its command, if the answer is its refusal. */
  readonly command?: number | undefined;
}

/** Why a call was not recorded for now: to ask again is safe, since the broker knows the call by its identity. */
const AGAIN: ReadonlySet<string> = new Set<ErrorCode>([
  'OVERLOADED',
  'LOG_FULL',
  'LOG_UNAVAILABLE',
  'LOG_UNCERTAIN',
  'EPOCH_LOST',
  'MODULE_UNAVAILABLE',
  'RESULT_PENDING',
]);

/**
 * How long an answer is waited for before the call is asked again: a request or a reply that was on its way when the
 * broker lost its connection is gone, and this side's stands. A call that is answered late is asked ever less often.
 */
const FIRST_WAIT_MS = 2_000;
const MAX_WAIT_MS = 30_000;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;

/**
 * Makes a call and waits for its result for as long as the handler may run: a server or broker that restarts, or a
 * module that is down for the moment, delays the call and does not fail it.
 */
export const makeCall = async (
  nc: NatsConnection,
  { target, body, cause, call, urgent, signal }: HandlerCall,
): Promise<CallAnswer> => {
  const headers = makeHeaders();
  headers.set(HEADER.cause, String(cause));
  headers.set(HEADER.call, String(call));
  if (urgent) headers.set(HEADER.priority, 'urgent');
  const link = linkState(nc);
  let last: Fault = fault('HANDLER_TIMEOUT', 'the handler had no time left for the call');
  const waits = new Backoff(FIRST_WAIT_MS, MAX_WAIT_MS);
  const pauses = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS);
  while (!signal.aborted) {
    if (link.isUp) {
      try {
        const reply = await linkedRequest(nc, callSubject(target), body, {
          headers,
          timeout: waits.nextMs,
        });
        const result = JSON.parse(reply.string()) as Result;
        if (result.status === 'ok') return { said: E.right(result.data), isRecorded: true };
        // A recorded command's refusal is its answer; only one that was never recorded is asked again.
        const command = parseSequence(headerOf(reply, HEADER.cause) ?? '');
        const recorded = command !== undefined;
        if (recorded || !AGAIN.has(result.error.code))
          return { said: E.left(result), isRecorded: recorded, command };
        last = fault('HANDLER_TIMEOUT', `${result.error.code}: ${result.error.message}`);
      } catch (error) {
        const unsent = link.isUp ? neverSent(error, nc) : undefined;
        if (unsent !== undefined) return { said: E.left(refusal(unsent)), isRecorded: false };
        // One that fails at once says nothing of how long an answer takes.
        if (isClientError(error, 'TimeoutError')) waits.take();
        last = fault('HANDLER_TIMEOUT', `no answer to ${callSubject(target)}: ${(error as Error).message}`);
      }
    }
    await pause(pauses.take(), { ref: false });
  }
  return { said: E.left(refusal(last)), isRecorded: undefined };
};
