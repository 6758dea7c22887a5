import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import type { AgentState } from '../../store/snapshots/index.js';
import { requestPromise } from '../../link/request-promise.js';
import type { PromiseVerb } from '../../schemas/promise.js';
import { requestSignal } from '../../link/request-signal.js';
import { PROGRAM_WORDS } from '../../link/target-words.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { StoredSignal } from '../../schemas/signal.js';
import type { Refusal } from '../../schemas/result.js';
import type { Cancelled } from '../../schemas/cancel.js';
import type { Restarted } from '../../schemas/restart.js';
import type { CalledModule } from '../sdk/addressed.js';
import { Refused } from '../sdk/refused.js';
import { type CancelOptions, cancelOrThrow } from './send-cancel.js';
import { type RestartOptions, restartOrThrow } from './send-restart.js';
import { type CommandProducer, openCommandProducer } from './command-producer.js';
import { actionsOf, type CallRoute, type ModuleCalls, rejectedWith } from './module-calls.js';
import { scheduleCommand } from './schedule-later.js';
import { stateRoute } from './state-route.js';
import type { EventFeed } from './event-feed.js';
import { subscribeBy, subscriptionRoute } from './subscribe.js';
import { type CallReceipt, DEFAULT_CALL_TIMEOUT_MS, openCalls } from './task-client.js';
import type { ProducerSettings } from './task-producer.js';
import { UnderWay } from './under-way.js';

/** A program's connection to a broker. */
export interface Tally extends ModuleCalls {
  /** Opens a producer for commands that must not be lost or stored twice; see {@link CommandProducer}. */
  readonly producer: (settings: ProducerSettings) => Promise<CommandProducer>;
  /**
   * Cancels a command that you sent. If it waits, its result is CANCELLED. If its handler runs, the next call or step
   * of the handler throws CANCELLED, and the handler may undo what it has done; its result counts. Throws
   * {@link Refused}: RESULT_STORED if the command has its result; NOT_ALLOWED if another account sent it.
   *
   * @example await tally.cancel(seq, { children: true });
   */
  readonly cancel: (command: number, options?: CancelOptions) => Promise<Cancelled>;
  /**
   * Runs a command again that has failed or was cancelled. What its handler did before `from` is kept: those calls,
   * steps and waits get their recorded values, and their effects are not made again. The same request a second time
   * changes nothing. Throws {@link Refused} with RESULT_PENDING, RESTART_REFUSED, RESTARTED or STEP_UNKNOWN if nothing
   * is restarted.
   *
   * @example const { newCommand } = await tally.restart(seq, { from: 'charge' });
   */
  readonly restart: (command: number, options: RestartOptions) => Promise<Restarted>;
  /** The NATS connection, for what this package does not have. A connection that you gave stays open after `close`. */
  readonly connection: NatsConnection;
}

/** What `connect` knows of the broker. */
export interface TallyPlace {
  readonly connection: NatsConnection;
  /** The broker's data directory, if it is known; otherwise the broker is asked for states. */
  readonly dataDir?: string | undefined;
  readonly isOwn: boolean;
}

/** Data of a signal as it is sent. */
const jsonOf = (data: unknown): Either<Fault, string> => {
  try {
    const text = JSON.stringify(data);
    return text === undefined
      ? left(fault('PAYLOAD_NOT_JSON', 'the data have no form in JSON'))
      : right(text);
  } catch (error) {
    return left(fault('PAYLOAD_NOT_JSON', `the data have no form in JSON: ${(error as Error).message}`));
  }
};

/** The calls of a program over one connection. */
export const createTally = (place: TallyPlace): Tally => {
  const { connection, isOwn } = place;
  const client = openCalls(connection);
  const underWay = new UnderWay();
  /** The sequence of the last result that this connection has seen, by module. */
  const seen = new Map<string, number>();
  const states = stateRoute(connection, place.dataDir);
  const subscriptions = subscriptionRoute(connection);
  const feeds = new Set<EventFeed>();

  const outputOf = (
    module: string,
    said: Either<Refusal, CallReceipt<unknown>>,
  ): Either<Refusal, unknown> => {
    if (isLeft(said)) return said;
    const { data, result } = said.right;
    seen.set(module, Math.max(seen.get(module) ?? 0, result));
    return right(data);
  };

  const route: CallRoute = {
    call: async (asked, options) => outputOf(asked.module, await client.ask(asked, options)()),
    result: async (asked, command, options) =>
      outputOf(asked.module, await client.result(asked, command, options)()),
    send: (asked, options) => client.store(asked, options)(),
    schedule: (asked, when, timeoutMs) => scheduleCommand(connection, asked, when, timeoutMs),
  };

  const state = ({ manifest: { name } }: CalledModule, agent: string): Promise<AgentState | undefined> =>
    states.get(name, agent, seen.get(name) ?? 0);

  const signal = async (
    { manifest: { name: module } }: CalledModule,
    agent: string,
    name: string,
    data: unknown,
  ): Promise<StoredSignal> => {
    const payload = data === undefined ? right('') : jsonOf(data);
    if (isLeft(payload)) throw rejectedWith(payload.left);
    const sent = await requestSignal(
      connection,
      { module, name, agent },
      payload.right,
      DEFAULT_CALL_TIMEOUT_MS,
      PROGRAM_WORDS,
    )();
    if (isLeft(sent)) throw rejectedWith(sent.left);
    return sent.right;
  };

  const endPromise = async (verb: PromiseVerb, id: string, payload: Either<Fault, string>): Promise<void> => {
    if (isLeft(payload)) throw rejectedWith(payload.left);
    const ended = await requestPromise(
      connection,
      { verb, id },
      payload.right,
      DEFAULT_CALL_TIMEOUT_MS,
      PROGRAM_WORDS,
    )();
    if (isLeft(ended)) throw rejectedWith(ended.left);
  };

  const close = async (): Promise<void> => {
    await Promise.all([...feeds].map((feed) => feed.close()));
    await underWay.ended();
    await states.close();
    if (isOwn) await connection.close();
  };

  return {
    agent: (module, name) => actionsOf(route, underWay.begun, module, name) as never,
    module: (module) => actionsOf(route, underWay.begun, module, undefined) as never,
    state: (module, agent) => underWay.begun(state(module, agent)) as never,
    signal: (module, agent, name, data) => underWay.begun(signal(module, agent, name, data)),
    resolvePromise: (id, data) => {
      const payload = data === undefined ? right('') : jsonOf(data);
      return underWay.begun(endPromise('resolve', id, payload));
    },
    rejectPromise: (id, text = '') => underWay.begun(endPromise('reject', id, right(text))),
    subscribe: (...given) => subscribeBy(subscriptions, feeds, ...given),
    producer: (settings) => openCommandProducer(connection, settings),
    restart: (command, options) =>
      underWay.begun(restartOrThrow(connection, command, options, (said) => new Refused(said))),
    cancel: (command, options) =>
      underWay.begun(cancelOrThrow(connection, command, options, (said) => new Refused(said))),
    connection,
    close,
    [Symbol.asyncDispose]: close,
  };
};
