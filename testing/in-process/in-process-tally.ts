import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { actionsOf, type ModuleCalls, rejectedWith } from '../../modules/client/module-calls.js';
import { UnderWay } from '../../modules/client/under-way.js';
import type { CalledModule } from '../../modules/sdk/addressed.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import type { DeadLetter } from '../../schemas/dead.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseInstant } from '../../schemas/instant.js';
import { parseDuration } from '../../schemas/quantity.js';
import type { HistoryLine } from '../../schemas/record.js';
import { checkedModules } from './checked-modules.js';
import { MemoryBroker } from './memory-broker.js';
import { MemoryRoute } from './memory-route.js';

/** The time of a test: it stands still until you move it. */
export interface TestClock {
  /** The time as all modules have it. */
  readonly now: () => Date;
  /**
   * Moves the time on, by milliseconds or a duration (`90s`, `1h30m`, `2d`). Everything that is due on the way happens
   * at its time: schedules, pauses between tries, time limits of handlers and calls. Resolves when the consequences are
   * over, except those for which a handler waits outside of the log.
   */
  readonly advance: (by: number | string) => Promise<void>;
}

/** Modules with their log, in this process. It has the calls of `connect()`. */
export interface InProcessTally extends ModuleCalls {
  readonly clock: TestClock;
  /** The records of the log, as `tallystick replay history --json` prints them. */
  readonly log: readonly HistoryLine[];
  /** The dead letters, with the stack of what was thrown. */
  readonly deadLetters: readonly DeadLetter[];
  /**
   * Resolves when every command has its result that can have one before the clock moves. It waits for handlers that
   * wait for the outside world.
   */
  readonly idle: () => Promise<void>;
}

export interface InProcessOptions {
  /** The time at which the clock stands: RFC 3339; 2026-01-01T00:00:00.000Z if absent. */
  readonly now?: string;
  /** Who calls: `guest` if absent. */
  readonly sender?: 'guest' | 'operator';
}

/** A module that {@link startInProcess} can run: what `defineModule` returns. */
export interface RunnableModule extends CalledModule {
  readonly initial: unknown;
  readonly actions: object;
  readonly evolve: object;
}

const DEFAULT_NOW = '2026-01-01T00:00:00.000Z';

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

const spanOf = (by: number | string): number => {
  if (typeof by === 'string') return orThrow(parseDuration(by));
  return orThrow(
    Number.isFinite(by) && by >= 0 ? right(by) : usage(`the clock moves on, and not by ${by} milliseconds`),
  );
};

/** The same with the insides, for tests of this package. */
export const openInProcess = (
  modules: readonly RunnableModule[],
  { now = DEFAULT_NOW, sender = 'guest' }: InProcessOptions = {},
): { readonly tally: InProcessTally; readonly broker: MemoryBroker } => {
  const compiled = orThrow(checkedModules(modules as unknown as readonly AnyModule[]));
  const broker = new MemoryBroker(compiled, startOf(now));
  const route = new MemoryRoute(broker, sender);
  const underWay = new UnderWay();
  const { clock, turns, running } = broker;

  const idle = async (): Promise<void> => {
    for (;;) {
      await turns.quiet();
      if (!running.isOutside) return;
      await turns.activity();
    }
  };

  const state = async ({ manifest: { name } }: CalledModule, agent: string): Promise<unknown> => {
    const module = broker.module(name);
    if (module === undefined)
      throw rejectedWith(fault('SNAPSHOTS_UNAVAILABLE', `no module ${name} runs here`));
    return module.states.find(agent);
  };

  const close = async (): Promise<void> => {
    await idle();
    route.close();
    await underWay.ended();
  };

  const tally: InProcessTally = {
    agent: (module, name) => actionsOf(route, underWay.begun, module, name) as never,
    module: (module) => actionsOf(route, underWay.begun, module, undefined) as never,
    state: (module, agent) => underWay.begun(state(module, agent)) as never,
    clock: {
      now: () => new Date(clock.now()),
      advance: async (by) => clock.moveTo(clock.now() + spanOf(by), () => turns.quiet()),
    },
    get log() {
      return broker.log.history();
    },
    get deadLetters() {
      return [...broker.letters];
    },
    idle,
    close,
    [Symbol.asyncDispose]: close,
  };
  return { tally, broker };
};

/**
 * Runs modules with their log in this process: no broker, no server, no process, no port and no timer. The code of the
 * host checks, decides, folds and stores. The same calls give the same log.
 *
 * Throws `Refused`: MANIFEST_INVALID, DEPENDENCY_MISSING, DEPENDENCY_CYCLE, UPCAST_INVALID, USAGE.
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
