import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { brokerDataDir } from '../../link/broker-data-dir.js';
import { type Fault, toFault } from '../../schemas/errors.js';
import { type Refusal, refusal } from '../../schemas/result.js';
import type { Agents, AgentState } from '../../store/snapshots/index.js';
import type { CalledModule } from '../sdk/addressed.js';
import { outputOrThrow } from '../sdk/call-in-handler.js';
import { Refused } from '../sdk/refused.js';
import type { ActionCall, AgentActions, ModuleActions } from './action-calls.js';
import { type CommandProducer, openCommandProducer } from './command-producer.js';
import { scheduleCommand, type When } from './schedule-later.js';
import { type CallOptions, createClient } from './task-client.js';
import type { ProducerSettings } from './task-producer.js';

/** The state of an agent, with the type that its module's definition gives it. */
export interface StateOf<State> extends Omit<AgentState, 'state'> {
  readonly state: State;
}

type State<C> = C extends { readonly initial: infer S } ? S : unknown;

/**
 * A program's connection to a broker. Every method begins its work at once, also if you do not await it. All of them
 * throw {@link Refused}.
 */
export interface Tally extends AsyncDisposable {
  /**
   * The actions of an agent.
   *
   * @example await tally.agent(tickets, 'hamlet').sell({ seats: 2 });
   */
  readonly agent: <C extends CalledModule>(module: C, name: string) => AgentActions<C>;
  /** The actions of a module that are for the module itself: `await tally.module(agents).list({})`. */
  readonly module: <C extends CalledModule>(module: C) => ModuleActions<C>;
  /**
   * The state of an agent, from the snapshots of the broker on this machine: no command, no record. It has all that the
   * calls of this connection have changed. Undefined if nothing has happened to the agent. SNAPSHOTS_UNAVAILABLE; USAGE
   * if the broker is on another machine.
   */
  readonly state: <C extends CalledModule>(
    module: C,
    agent: string,
  ) => Promise<StateOf<State<C>> | undefined>;
  /** Opens a producer for commands that must not be lost or stored twice; see {@link CommandProducer}. */
  readonly producer: (settings: ProducerSettings) => Promise<CommandProducer>;
  /** The NATS connection, for what this package does not have. */
  readonly connection: NatsConnection;
  /** Waits for what was sent, and closes; a connection that you gave stays open. */
  readonly close: () => Promise<void>;
}

/** What `connect` knows of the broker. */
export interface TallyPlace {
  readonly connection: NatsConnection;
  /** The broker's data directory, if it is known; otherwise the broker is asked when it is needed. */
  readonly dataDir?: string | undefined;
  readonly isOwn: boolean;
}

type AnyCall = ActionCall<unknown, unknown, string>;

const rejectedWith = (fault: Fault): Refused => new Refused(refusal(fault));

/** The snapshots of the broker, opened at the first look. */
const snapshotsOf = ({ connection, dataDir }: TallyPlace): (() => Promise<Agents>) => {
  let opened: Promise<Agents> | undefined;
  const open = async (): Promise<Agents> => {
    const dir = dataDir === undefined ? await brokerDataDir(connection)() : right(dataDir);
    if (isLeft(dir)) throw rejectedWith(dir.left);
    // LMDB is loaded by those who use it.
    const { openAgents } = await import('../../store/snapshots/index.js');
    return openAgents(dir.right);
  };
  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
};

/** The calls of a program over one connection. */
export const createTally = (place: TallyPlace): Tally => {
  const { connection, isOwn } = place;
  const client = createClient(connection);
  const underWay = new Set<Promise<unknown>>();
  /** The sequence of the last result that this connection has seen, by module. */
  const seen = new Map<string, number>();
  const snapshots = snapshotsOf(place);
  let isOpened = false;

  /** Lets `close` wait for work that has begun. If nobody awaits a refusal, it is an unhandled rejection of Node. */
  const begun = <T>(work: Promise<T>): Promise<T> => {
    const ended = work.then(
      () => undefined,
      () => undefined,
    );
    underWay.add(ended);
    void ended.then(() => underWay.delete(ended));
    // `work` itself has a listener now; this one has none.
    return work.then((value) => value);
  };

  const callOf = ({ manifest }: CalledModule, action: string, agent: string | undefined): AnyCall => {
    const attempt = async (input: unknown, options: CallOptions = {}): Promise<Either<Refused, unknown>> => {
      const said = (await client.callWithReceipt(
        manifest,
        action,
        agent,
        (input ?? {}) as never,
        options,
      )()) as Either<Refusal, { readonly data: unknown; readonly result: number }>;
      if (isLeft(said)) return left(new Refused(said.left));
      const { data, result } = said.right;
      seen.set(manifest.name, Math.max(seen.get(manifest.name) ?? 0, result));
      return right(data);
    };
    const call = async (input?: unknown, options?: CallOptions): Promise<unknown> =>
      outputOrThrow(await attempt(input, options));
    const send = async (input?: unknown, options: CallOptions = {}): Promise<{ readonly seq: number }> => {
      const stored = await client.send(manifest, action, agent, (input ?? {}) as never, options)();
      if (isLeft(stored)) throw rejectedWith(stored.left);
      return { seq: stored.right };
    };
    const schedule = async (input: unknown, when: When, { timeoutMs, ...options }: CallOptions = {}) => {
      const asked = { module: manifest.name, name: action, agent, data: input ?? {}, ...options };
      const made = await scheduleCommand(connection, asked, when, timeoutMs);
      if (isLeft(made)) throw new Refused(made.left);
      return made.right;
    };
    return Object.assign((...given: Parameters<typeof call>) => begun(call(...given)), {
      try: (...given: Parameters<typeof attempt>) => begun(attempt(...given)),
      send: (...given: Parameters<typeof send>) => begun(send(...given)),
      schedule: (...given: Parameters<typeof schedule>) => begun(schedule(...given)),
    }) as AnyCall;
  };

  const actionsOf = (module: CalledModule, agent: string | undefined): Record<string, AnyCall> =>
    Object.fromEntries(
      Object.entries(module.manifest.actions)
        .filter(([, action]) => (action.agent === 'none') === (agent === undefined))
        .map(([name]) => [name, callOf(module, name, agent)]),
    );

  const state = async (
    { manifest: { name } }: CalledModule,
    agent: string,
  ): Promise<AgentState | undefined> => {
    const agents = await snapshots();
    isOpened = true;
    try {
      const atLeast = seen.get(name);
      if (atLeast !== undefined) {
        const reached = await agents.atLeast(name, atLeast)();
        if (isLeft(reached)) throw rejectedWith(reached.left);
      }
      return agents.get(name, agent);
    } catch (thrown) {
      throw thrown instanceof Refused ? thrown : rejectedWith(toFault(thrown));
    }
  };

  const close = async (): Promise<void> => {
    while (underWay.size > 0) await Promise.all(underWay);
    if (isOpened) await (await snapshots()).close();
    if (isOwn) await connection.close();
  };

  return {
    agent: (module, name) => actionsOf(module, name) as never,
    module: (module) => actionsOf(module, undefined) as never,
    state: (module, agent) => begun(state(module, agent)) as never,
    producer: (settings) => openCommandProducer(connection, settings),
    connection,
    close,
    [Symbol.asyncDispose]: close,
  };
};
