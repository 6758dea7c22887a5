import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { headers as makeHeaders, type Msg, type NatsConnection } from 'nats';
import { headerOf } from '../../link/message-headers.js';
import { neverSent } from '../../link/never-sent.js';
import { isNobody, untilServed } from '../../link/until-served.js';
import { parseServedAck } from '../../link/pub-ack.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { type Refusal, type Result, refusal } from '../../schemas/result.js';
import { askedResultSubject } from '../../schemas/result-request.js';
import { type Address, callSubject, commandSubject, addressText } from '../../schemas/subjects.js';
import { MAX_TIMER_MS } from '../../schemas/quantity.js';
import type { ActionName, Input, Output, TypedManifest } from '../sdk/define-manifest.js';
import { type Asked, addressOf, prepared } from './prepared.js';

export interface ResultOptions {
  /** How long to wait for the result, milliseconds; default 30,000. */
  readonly timeoutMs?: number;
}

export interface CallOptions extends ResultOptions {
  /** After this the command is not handled any more and answered `expired`. */
  readonly deadline?: Date;
  /** `urgent`: handled before waiting commands of other agents, never before those of the same agent. */
  readonly priority?: 'urgent' | 'normal';
  /**
   * Your name for this command, such as `order-17`: 1 to 128 printable ASCII characters without a blank. Within 24
   * hours all calls with the same key are one command, and have its result. KEY_REUSED: the key has another command.
   */
  readonly key?: string;
  /** The span that makes the call, as W3C writes it: the command is in the same trace. `tracestate` goes with it. */
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** What a call came to, and where in the log that stands. */
export interface CallReceipt<T> {
  readonly data: T;
  /** Sequence of the command. */
  readonly command: number;
  /** Sequence of its result: `atLeast` of `tallystick/agents` waits until the module's states have it. */
  readonly result: number;
}

/**
 * How a program that is no module calls actions and sends commands, typed by the manifest of the module it talks to.
 */
export interface Client {
  /** Records a command and waits for its result. */
  readonly call: <M extends TypedManifest, A extends ActionName<M>>(
    manifest: M,
    action: A,
    agent: string | undefined,
    data: Input<M, A>,
    options?: CallOptions,
  ) => TE.TaskEither<Refusal, Output<M, A>>;
  /** The same, and where in the log command and result are: for who wants to read what the call wrote. */
  readonly callWithReceipt: <M extends TypedManifest, A extends ActionName<M>>(
    manifest: M,
    action: A,
    agent: string | undefined,
    data: Input<M, A>,
    options?: CallOptions,
  ) => TE.TaskEither<Refusal, CallReceipt<Output<M, A>>>;
  /** Records a command; its sequence in the log. */
  readonly send: <M extends TypedManifest, A extends ActionName<M>>(
    manifest: M,
    action: A,
    agent: string | undefined,
    data: Input<M, A>,
    options?: CallOptions,
  ) => TE.TaskEither<Fault, number>;
}

export const DEFAULT_CALL_TIMEOUT_MS = 30_000;

/** There was no reply. Whether the command is stored depends on whether a broker was there. */
const silence = (nc: NatsConnection, thrown: unknown, subject: string): Fault => {
  const unsent = neverSent(thrown, nc);
  if (unsent !== undefined) return unsent;
  return isNobody(thrown)
    ? fault('BROKER_UNREACHABLE', `no broker serves ${subject}: is it running?`)
    : fault('LOG_UNCERTAIN', `no answer to ${subject}: ${(thrown as Error).message}; it may be recorded`);
};

const sequenceIn = (reply: Msg, header: string): number =>
  parseSequence(headerOf(reply, header) ?? '') ?? Number.NaN;

interface Request {
  readonly subject: string;
  readonly payload: Uint8Array | string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends a request, and waits for the answer: its message, or why there is none. */
const answered = (
  nc: NatsConnection,
  { subject, payload, headers }: Request,
  { timeoutMs = DEFAULT_CALL_TIMEOUT_MS }: ResultOptions,
): TE.TaskEither<Fault, Msg> => {
  const all = makeHeaders();
  for (const [name, value] of Object.entries(headers)) all.set(name, value);
  // A timer takes no more, and would fire at once.
  const timeout = Math.min(timeoutMs, MAX_TIMER_MS);
  return TE.tryCatch(
    () => untilServed(() => nc.request(subject, payload, { headers: all, timeout })),
    (thrown) => silence(nc, thrown, subject),
  );
};

const asked =
  (nc: NatsConnection, subjectOf: (address: Address) => string) =>
  (asked: Asked, options: CallOptions): TE.TaskEither<Fault, Msg> =>
    pipe(
      TE.fromEither(prepared(asked)),
      TE.chain(({ address, payload, headers }) =>
        answered(nc, { subject: subjectOf(address), payload, headers }, options),
      ),
    );

/** The reply to a call. An answer that cannot be read is LOG_UNCERTAIN: something was done. */
const receiptOf = (reply: Msg): E.Either<Refusal, CallReceipt<unknown>> =>
  pipe(
    E.tryCatch(
      () => reply.json<Result>(),
      (thrown) =>
        refusal(
          fault(
            'LOG_UNCERTAIN',
            `the answer cannot be read: ${(thrown as Error).message}; the call may be recorded`,
          ),
        ),
    ),
    E.chain((result) =>
      result.status === 'ok'
        ? E.right({
            data: result.data,
            command: sequenceIn(reply, HEADER.cause),
            result: sequenceIn(reply, HEADER.result),
          })
        : E.left(result),
    ),
  );

const resultRequest = (address: Address, seq: number): Request => ({
  subject: askedResultSubject(seq),
  payload: JSON.stringify({ command: addressText(address) }),
  headers: {},
});

/** Calls and commands over a connection, by names that need not be those of a manifest. */
interface PlainCalls {
  /** Stores a command and waits for its result. */
  readonly ask: (asked: Asked, options: CallOptions) => TE.TaskEither<Refusal, CallReceipt<unknown>>;
  /** Waits for the result of a command that was stored before. */
  readonly result: (
    asked: Pick<Asked, 'module' | 'name' | 'agent'>,
    command: number,
    options: ResultOptions,
  ) => TE.TaskEither<Refusal, CallReceipt<unknown>>;
  /** Stores a command; its sequence. */
  readonly store: (asked: Asked, options: CallOptions) => TE.TaskEither<Fault, number>;
}

export const openCalls = (nc: NatsConnection): PlainCalls => {
  const call = asked(nc, callSubject);
  const command = asked(nc, commandSubject);
  return {
    ask: (given, options) => pipe(call(given, options), TE.mapLeft(refusal), TE.chainEitherK(receiptOf)),
    result: (given, seq, options) =>
      pipe(
        TE.fromEither(addressOf(given)),
        TE.chain((address) => answered(nc, resultRequest(address, seq), options)),
        TE.mapLeft(refusal),
        TE.chainEitherK(receiptOf),
      ),
    store: (given, options) =>
      pipe(
        command(given, options),
        TE.chainEitherK(parseServedAck),
        TE.map(({ seq }) => seq),
      ),
  };
};

/** Calls over a connection of the caller's, as the account that this connection has. */
export const createClient = (nc: NatsConnection): Client => {
  const { ask, store } = openCalls(nc);
  const callWithReceipt: Client['callWithReceipt'] = (manifest, name, agent, data, options = {}) =>
    ask({ module: manifest.name, name, agent, data, ...options }, options) as never;
  return {
    callWithReceipt,
    call: (...given) =>
      pipe(
        callWithReceipt(...given),
        TE.map(({ data }) => data),
      ),
    send: (manifest, name, agent, data, options = {}) =>
      store({ module: manifest.name, name, agent, data, ...options }, options),
  };
};
