import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Fault } from '../../schemas/errors.js';
import { type Refusal, refusal } from '../../schemas/result.js';
import type { StoredSignal } from '../../schemas/signal.js';
import type { Schedule } from '../../schemas/schedule.js';
import type { AgentState } from '../../store/snapshots/index.js';
import type { CalledModule, ManifestIn } from '../sdk/addressed.js';
import { outputOrThrow } from '../sdk/call-in-handler.js';
import { Refused } from '../sdk/refused.js';
import type { ActionCall, AgentActions, ModuleActions } from './action-calls.js';
import type { Asked } from './prepared.js';
import type { When } from './schedule-later.js';
import type { EventName, EventSubscription, SubscribedEvent, SubscribeOptions } from './subscribe.js';
import type { CallOptions, ResultOptions } from './task-client.js';

/** The state of an agent, with the type that its module's definition gives it. */
export interface StateOf<State> extends Omit<AgentState, 'state'> {
  readonly state: State;
}

/** The state that the definition of a module gives its agents. */
export type StateIn<C> = C extends { readonly initial: infer S } ? S : unknown;

/**
 * What a program does with modules. Every method begins its work at once, also if you do not await it. All of them
 * throw {@link Refused}.
 */
export interface ModuleCalls extends AsyncDisposable {
  /**
   * The actions of an agent.
   *
   * @example await tally.agent(tickets, 'hamlet').sell({ seats: 2 });
   */
  readonly agent: <C extends CalledModule>(module: C, name: string) => AgentActions<C>;
  /** The actions of a module that are for the module itself: `await tally.module(agents).list({})`. */
  readonly module: <C extends CalledModule>(module: C) => ModuleActions<C>;
  /**
   * The state of an agent: no command, no record. It has all that your calls have changed. Undefined if nothing has
   * happened to the agent. It comes from the snapshots of the module: from the files, if `connect` found the data
   * directory of a broker on this machine; otherwise the broker sends it. SNAPSHOTS_UNAVAILABLE; NOT_ALLOWED without
   * the grant `read`.
   */
  readonly state: <C extends CalledModule>(
    module: C,
    agent: string,
  ) => Promise<StateOf<StateIn<C>> | undefined>;
  /**
   * Sends a signal to an agent: a handler awaits it with `awaitSignal`. One that comes before is kept. SIGNALS_FULL;
   * NOT_ALLOWED without the grant `send MODULE.NAME.AGENT`; LOG_UNCERTAIN: it may be stored.
   *
   * @example await tally.signal(orders, 'order-17', 'paid', { by: 'card' });
   */
  readonly signal: (
    module: CalledModule,
    agent: string,
    name: string,
    data?: unknown,
  ) => Promise<StoredSignal>;
  /**
   * Ends the promise of a handler with a value. The id is the right to do so. PROMISE_UNKNOWN: it has ended, or never
   * was; LOG_UNCERTAIN: it may have ended.
   */
  readonly resolvePromise: (id: string, data?: unknown) => Promise<void>;
  /** The same, with a text that tells why: the handler gets PROMISE_REJECTED. */
  readonly rejectPromise: (id: string, text?: string) => Promise<void>;
  /**
   * The events of a module, each at least once, in the order of the log. The broker keeps how far you have come under
   * the name `durable`, and your next process continues there. An event is acknowledged when you ask for the next one.
   *
   * @example
   * for await (const { data } of tally.subscribe(accounts, 'deposited', { durable: 'mailer' })) await send(data);
   */
  readonly subscribe: <C extends CalledModule, E extends EventName<ManifestIn<C>>>(
    module: C,
    events: E | readonly E[],
    options: SubscribeOptions,
  ) => EventSubscription<SubscribedEvent<C, E>>;
  /** Waits for what was sent, and closes; subscriptions too. */
  readonly close: () => Promise<void>;
}

/** The way of calls to a log. */
export interface CallRoute {
  readonly call: (asked: Asked, options: CallOptions) => Promise<Either<Refusal, unknown>>;
  /** The sequence of the stored command. */
  readonly send: (asked: Asked, options: CallOptions) => Promise<Either<Fault, number>>;
  /** The result of the command at a place of the log; `asked`: what the command must be. */
  readonly result: (
    asked: Pick<Asked, 'module' | 'name' | 'agent'>,
    command: number,
    options: ResultOptions,
  ) => Promise<Either<Refusal, unknown>>;
  readonly schedule: (
    asked: Asked,
    when: When,
    timeoutMs: number | undefined,
  ) => Promise<Either<Refusal, Schedule>>;
}

type AnyCall = ActionCall<unknown, unknown, string>;

export const rejectedWith = (fault: Fault): Refused => new Refused(refusal(fault));

const callOf = (
  { call: ask, send: sendBy, result: resultBy, schedule: scheduleBy }: CallRoute,
  begun: <T>(work: Promise<T>) => Promise<T>,
  { manifest }: CalledModule,
  name: string,
  agent: string | undefined,
): AnyCall => {
  const askedOf = (input: unknown, { timeoutMs: _, ...options }: CallOptions): Asked => ({
    module: manifest.name,
    name,
    agent,
    data: input ?? {},
    ...options,
  });
  const attempt = async (input: unknown, options: CallOptions = {}): Promise<Either<Refused, unknown>> => {
    const said = await ask(askedOf(input, options), options);
    return isLeft(said) ? left(new Refused(said.left)) : right(said.right);
  };
  const call = async (input?: unknown, options?: CallOptions): Promise<unknown> =>
    outputOrThrow(await attempt(input, options));
  const send = async (input?: unknown, options: CallOptions = {}): Promise<{ readonly seq: number }> => {
    const stored = await sendBy(askedOf(input, options), options);
    if (isLeft(stored)) throw rejectedWith(stored.left);
    return { seq: stored.right };
  };
  const result = async (command: number, options: ResultOptions = {}): Promise<unknown> => {
    const said = await resultBy({ module: manifest.name, name, agent }, command, options);
    return outputOrThrow(isLeft(said) ? left(new Refused(said.left)) : said);
  };
  const schedule = async (input: unknown, when: When, options: CallOptions = {}): Promise<Schedule> => {
    const made = await scheduleBy(askedOf(input, options), when, options.timeoutMs);
    if (isLeft(made)) throw new Refused(made.left);
    return made.right;
  };
  return Object.assign((...given: Parameters<typeof call>) => begun(call(...given)), {
    try: (...given: Parameters<typeof attempt>) => begun(attempt(...given)),
    send: (...given: Parameters<typeof send>) => begun(send(...given)),
    result: (...given: Parameters<typeof result>) => begun(result(...given)),
    schedule: (...given: Parameters<typeof schedule>) => begun(schedule(...given)),
  }) as AnyCall;
};

/** The actions of a module by name, for one of its agents or for the module itself. */
export const actionsOf = (
  route: CallRoute,
  begun: <T>(work: Promise<T>) => Promise<T>,
  module: CalledModule,
  agent: string | undefined,
): Record<string, AnyCall> =>
  Object.fromEntries(
    Object.entries(module.manifest.actions)
      .filter(([, action]) => (action.agent === 'none') === (agent === undefined))
      .map(([name]) => [name, callOf(route, begun, module, name, agent)]),
  );
