import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { ModuleAgents } from '../../store/snapshots/index.js';
import { compileFoldable, foldEvents } from '../../modules/sdk/fold.js';
import type { ReadFoldable } from '../../modules/sdk/foldable.js';
import { KeptSeals } from '../../store/seals/kept-seals.js';
import { tryKeys } from '../../store/seals/seal-files.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import { causeOf, type StoredMessage } from '../../schemas/record.js';
import { splitSubject } from '../../schemas/subjects.js';
import type { Scope } from '../expression/evaluate.js';
import { stateAt } from '../fold/state-at.js';

/** Where a condition came to hold. */
export interface Hit {
  /** The record of the sandbox with which it did. */
  readonly seq: number;
  /** The command that it answers; null for an event that no command caused. */
  readonly cause: number | null;
  readonly module: string;
  readonly agent: string;
  readonly before: unknown;
  readonly state: unknown;
  readonly event: unknown;
}

export interface BreakPointOptions {
  readonly nc: NatsConnection;
  /** Of the sandbox. */
  readonly dataDir: string;
  /** Code of the modules whose states are looked at. */
  readonly modules: readonly AnyModule[];
  /** Where the sandbox stood when its run began. */
  readonly baseSeq: number;
  readonly holds: (scope: Scope) => Either<Fault, boolean>;
}

interface Watched {
  readonly module: AnyModule;
  readonly read: ReadFoldable;
  readonly agents: ModuleAgents;
  readonly states: Map<string, unknown>;
}

/** Looks at an agent's state with each event that changes it, as records of a sandbox are stored. */
export class BreakPoint implements AsyncDisposable {
  readonly #watched = new Map<string, Watched>();

  private constructor(private readonly options: BreakPointOptions) {}

  /** UPCAST_INVALID. */
  static open(options: BreakPointOptions): Either<Fault, BreakPoint> {
    const point = new BreakPoint(options);
    for (const module of options.modules) {
      const { name } = module.manifest;
      const agents = new ModuleAgents(name, options.dataDir);
      const keys = tryKeys(() => new KeptSeals(name, options.dataDir).now());
      const read = isLeft(keys) ? keys : compileFoldable(module, keys.right);
      if (isLeft(read)) return read;
      point.#watched.set(name, { module, read: read.right, agents, states: new Map() });
    }
    return right(point);
  }

  /**
   * The first event of a record with which the condition holds. Throws what a state or the condition has no value
   * for.
   */
  async look(message: StoredMessage): Promise<Hit | undefined> {
    const subject = splitSubject(message.subject);
    if (subject?.kind !== 'res' && subject?.kind !== 'evt') return undefined;
    const watched = this.#watched.get(subject.module);
    if (watched === undefined) return undefined;
    const read = watched.read(message);
    if (isLeft(read)) throw new FaultError(read.left);
    if (read.right === undefined || read.right.events.length === 0) return undefined;
    const { agent, events } = read.right;
    let before = await this.#stateOf(watched, agent);
    for (const event of events) {
      const state = fold(watched.module, before, event, message.seq);
      watched.states.set(agent, state);
      const { seq, time } = message;
      const held = this.options.holds({ state, before, event, agent, seq, time });
      if (isLeft(held)) throw new FaultError({ ...held.left, message: `at ${seq}, ${held.left.message}` });
      if (held.right)
        return { seq, cause: causeOf(message) ?? null, module: subject.module, agent, before, state, event };
      before = state;
    }
    return undefined;
  }

  async #stateOf({ module, agents, states }: Watched, agent: string): Promise<unknown> {
    if (states.has(agent)) return states.get(agent);
    const { nc, baseSeq: at } = this.options;
    if (at === 0) return module.initial;
    const found = await stateAt({ nc, agents, module, agent, at })();
    if (isLeft(found)) throw new FaultError(found.left);
    return found.right === undefined ? module.initial : found.right.state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#watched.values()].map(({ agents }) => agents.close()));
  }
}

const fold = (
  module: AnyModule,
  before: unknown,
  event: Parameters<typeof foldEvents>[2][number],
  seq: number,
): unknown => {
  try {
    return foldEvents(module, before, [event]);
  } catch (error) {
    throw new FaultError(fault('FOLD_FAILED', `record ${seq} cannot be folded: ${toFault(error).message}`));
  }
};
