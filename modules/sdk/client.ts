import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { errors, headers as makeHeaders, type Msg, type NatsConnection } from 'nats';
import { headerOf } from '../../broker/journal/message-headers.js';
import { parseServedAck } from '../../broker/journal/pub-ack.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { encodeJson } from '../../schemas/json.js';
import { type Refusal, type Result, refusal } from '../../schemas/result.js';
import { type Address, callSubject, commandSubject } from '../../schemas/subjects.js';
import type { ActionName, Input, Output, TypedManifest } from './manifest.js';

export interface CallOptions {
  /** How long to wait for the result, milliseconds; default 30,000. */
  readonly timeoutMs?: number;
  /** After this the command is not handled any more and answered `expired`. */
  readonly deadline?: Date;
  /** `urgent`: handled before waiting commands of other agents, never of its own. */
  readonly priority?: 'urgent' | 'normal';
}

/** What a call came to, and where in the log that stands. */
export interface Receipt<T> {
  readonly data: T;
  /** Sequence of the command. */
  readonly command: number;
  /** Sequence of its result: `atLeast` of `tallystick/agents` waits until the module's states have it. */
  readonly result: number;
}

/** How a program that is no module calls actions and sends commands, typed by the manifest of the module it talks to. */
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
  ) => TE.TaskEither<Refusal, Receipt<Output<M, A>>>;
  /** Records a command; its sequence in the log. */
  readonly send: <M extends TypedManifest, A extends ActionName<M>>(
    manifest: M,
    action: A,
    agent: string | undefined,
    data: Input<M, A>,
    options?: CallOptions,
  ) => TE.TaskEither<Fault, number>;
}

const DEFAULT_TIMEOUT_MS = 30_000;

const addressOf = (module: string, name: string, agent: string | undefined): Address => ({
  module,
  name,
  ...(agent === undefined ? {} : { agent }),
});

const headersOf = ({ deadline, priority }: CallOptions) => {
  const headers = makeHeaders();
  if (deadline !== undefined) headers.set(HEADER.deadline, deadline.toISOString());
  if (priority !== undefined) headers.set(HEADER.priority, priority);
  return headers;
};

/** Nobody answered: whether the command is recorded depends on whether anybody was there to record it. */
const silence = (thrown: unknown, subject: string): Fault => {
  const nobody =
    thrown instanceof errors.NoRespondersError ||
    (thrown instanceof errors.RequestError && thrown.isNoResponders());
  return nobody
    ? fault('BROKER_UNREACHABLE', `nobody serves ${subject}: is the broker running?`)
    : fault('LOG_UNCERTAIN', `no answer to ${subject}: ${(thrown as Error).message}; it may be recorded`);
};

const sequenceIn = (reply: Msg, header: string): number =>
  parseSequence(headerOf(reply, header) ?? '') ?? Number.NaN;

/** Calls over a connection of the caller's, as whoever that connection authenticated. */
export const createClient = (nc: NatsConnection): Client => {
  const callWithReceipt: Client['callWithReceipt'] =
    (manifest, action, agent, data, options = {}) =>
    async () => {
      const subject = callSubject(addressOf(manifest.name, action, agent));
      const timeout = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      try {
        const reply = await nc.request(subject, encodeJson(data), {
          headers: headersOf(options),
          timeout,
        });
        const result = reply.json<Result>();
        if (result.status !== 'ok') return E.left(result);
        return E.right({
          data: result.data as never,
          command: sequenceIn(reply, HEADER.cause),
          result: sequenceIn(reply, HEADER.result),
        });
      } catch (thrown) {
        return E.left(refusal(silence(thrown, subject)));
      }
    };
  return {
    callWithReceipt,
    call: (...call) =>
      pipe(
        callWithReceipt(...call),
        TE.map(({ data }) => data),
      ),
    send: createSend(nc),
  };
};

const createSend =
  (nc: NatsConnection): Client['send'] =>
  (manifest, action, agent, data, options = {}) =>
  async () => {
    const subject = commandSubject(addressOf(manifest.name, action, agent));
    const timeout = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    try {
      const reply = await nc.request(subject, encodeJson(data), {
        headers: headersOf(options),
        timeout,
      });
      return pipe(
        parseServedAck(reply),
        E.map(({ seq }) => seq),
      );
    } catch (thrown) {
      return E.left(silence(thrown, subject));
    }
  };
