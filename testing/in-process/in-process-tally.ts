import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { actionsOf, type ModuleCalls, rejectedWith } from '../../modules/client/module-calls.js';
import { subscribeBy } from '../../modules/client/subscribe.js';
import type { EventFeed } from '../../modules/client/event-feed.js';
import { UnderWay } from '../../modules/client/under-way.js';
import type { CalledModule } from '../../modules/sdk/addressed.js';
import type { DeadLetter } from '../../schemas/dead.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { encodeJson } from '../../schemas/json.js';
import { parseInstant } from '../../schemas/instant.js';
import { PEOPLE } from '../../schemas/names.js';
import { MAX_TIMER_MS } from '../../schemas/quantity.js';
import type { HistoryLine } from '../../schemas/record.js';
import { checkedModules } from './checked-modules.js';
import { givenConfigs } from './given-configs.js';
import { idle, settled } from './wait-until-idle.js';
import { MemoryBroker } from './memory-broker.js';
import { MemoryRoute } from './memory-route.js';
import { MemorySubscriptions } from './memory-subscriptions.js';
import { type TestClock, testClock } from './test-clock.js';

/** Modules with their log, in this process. It has the calls of `connect()`. */
export interface InProcessTally extends ModuleCalls {
  readonly clock: TestClock;
  /** The records of the log, as `tallystick replay history --json` prints them. */
  readonly log: readonly HistoryLine[];
  /** The dead letters, with the stack of what was thrown. */
  readonly deadLetters: readonly DeadLetter[];
  /**
   * Resolves when every command has its result that can have one before the clock moves. It waits for handlers that
   * wait for the outside world. Throws `Refused` OPERATION_PENDING after `idleTimeoutMs`, and names these handlers.
   */
  readonly idle: () => Promise<void>;
}

/** The modules, the time and the log of a test in one process. */
export interface InProcessOptions {
  /** The time at which the clock stands: RFC 3339; 2026-01-01T00:00:00.000Z if absent. */
  readonly now?: string;
  /**
   * The configuration of modules, by their names. Keys that are absent have the defaults of their schemas. A secret is
   * a value like another.
   */
  readonly config?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Who calls: `guest` if absent. */
  readonly sender?: 'guest' | 'operator';
  /**
   * How long `idle` and `close` wait for handlers that wait for the outside world, real milliseconds; 4,000 if absent.
   * That is less than the limit of a test in Vitest and Jest, so you see which handler does not end.
   */
  readonly idleTimeoutMs?: number;
}

/** A module that {@link startInProcess} can run: what `defineModule` returns. */
export interface RunnableModule extends CalledModule {
  readonly initial: unknown;
  readonly actions: object;
  readonly evolve: object;
}

const DEFAULT_NOW = '2026-01-01T00:00:00.000Z';
const DEFAULT_IDLE_TIMEOUT_MS = 4_000;

const usage = (message: string): Either<Fault, never> => left(fault('USAGE', message));

const orThrow = <T>(said: Either<Fault, T>): T => {
  if (isLeft(said)) throw rejectedWith(said.left);
  return said.right;
};

const startOf = (now: string): number => {
  const startMs = parseInstant(now);
  return orThrow(
    startMs === undefined ? usage(`${JSON.stringify(now)} is no RFC 3339 time`) : right(startMs),
  );
};

/** Who may call: the broker has these accounts for clients. */
const senderOf = (sender: string): string =>
  orThrow(
    PEOPLE.has(sender)
      ? right(sender)
      : usage(`sender ${JSON.stringify(sender)} is none of ${[...PEOPLE].join(', ')}`),
  );

const limitOf = (ms: number): number =>
  orThrow(
    typeof ms === 'number' && ms > 0 && ms <= MAX_TIMER_MS
      ? right(ms)
      : usage(`idleTimeoutMs ${ms} is no number from 1 to ${MAX_TIMER_MS}`),
  );

/** The same with the insides, for tests of this package. */
export const openInProcess = (
  modules: readonly RunnableModule[],
  {
    now = DEFAULT_NOW,
    sender = 'guest',
    idleTimeoutMs = DEFAULT_IDLE_TIMEOUT_MS,
    config = {},
  }: InProcessOptions = {},
): { readonly tally: InProcessTally; readonly broker: MemoryBroker } => {
  const compiled = orThrow(checkedModules(modules));
  const broker = new MemoryBroker(compiled, startOf(now), orThrow(givenConfigs(compiled, config)));
  const route = new MemoryRoute(broker, senderOf(sender));
  const limitMs = limitOf(idleTimeoutMs);
  const underWay = new UnderWay();
  const subscriptions = new MemorySubscriptions(senderOf(sender), () => broker.log.records);
  broker.onEvent(() => subscriptions.published());
  const feeds = new Set<EventFeed>();

  const state = async ({ manifest: { name } }: CalledModule, agent: string): Promise<unknown> => {
    const module = broker.module(name);
    if (module === undefined)
      throw rejectedWith(fault('SNAPSHOTS_UNAVAILABLE', `no module ${name} runs here`));
    return module.states.find(agent);
  };

  const end = async (): Promise<void> => {
    try {
      await Promise.all([...feeds].map((feed) => feed.close()));
      await idle(broker, limitMs);
    } finally {
      subscriptions.close();
      broker.turns.close();
      route.close();
      await underWay.ended();
    }
  };
  let ended: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    // Only the first caller learns what did not end: a test may close it, and `await using` closes it again.
    if (ended !== undefined) return ended.catch(() => undefined);
    ended = end();
    await ended;
  };

  const tally: InProcessTally = {
    agent: (module, name) => actionsOf(route, underWay.begun, module, name) as never,
    module: (module) => actionsOf(route, underWay.begun, module, undefined) as never,
    state: (module, agent) => underWay.begun(state(module, agent)) as never,
    signal: async ({ manifest: { name: module } }, agent, name, data) => {
      const sent = broker.signal({ module, name, agent }, senderOf(sender), data);
      return { seq: orThrow(sent).seq };
    },
    resolvePromise: async (id, data) => {
      const payload = data === undefined ? new Uint8Array() : encodeJson(data);
      orThrow(broker.settle('resolve', id, payload));
    },
    rejectPromise: async (id, text = '') => {
      orThrow(broker.settle('reject', id, Buffer.from(text)));
    },
    subscribe: (...given) => subscribeBy(subscriptions, feeds, ...given),
    clock: testClock(broker.clock, () => settled(broker, limitMs)),
    get log() {
      return broker.log.history();
    },
    get deadLetters() {
      return [...broker.letters];
    },
    idle: () => idle(broker, limitMs),
    close,
    [Symbol.asyncDispose]: close,
  };
  return { tally, broker };
};

/**
 * Runs modules with their log in this process: no broker, no server, no process, no port and no timer. The code of the
 * host checks, decides, folds and stores. The same calls give the same log.
 *
 * Throws `Refused`: MODULE_BUILD_FAILED for a value that is no module, MODULE_NAME_TAKEN, MANIFEST_INVALID,
 * DEPENDENCY_MISSING, DEPENDENCY_CYCLE, UPCAST_INVALID, CONFIG_MISSING, CONFIG_INVALID, CONFIG_KEY_UNKNOWN, and
 * USAGE for other options.
 *
 * @example
 * await using tally = await startInProcess([tickets, accounts]);
 * await tally.agent(tickets, 'hamlet').sell({ seats: 2 });
 * await tally.clock.advance('1h');
 */
export const startInProcess = async (
  modules: readonly RunnableModule[],
  options: InProcessOptions = {},
): Promise<InProcessTally> => openInProcess(modules, options).tally;
