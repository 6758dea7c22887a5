import type { Either } from 'fp-ts/lib/Either.js';
import type { Schedule } from '../../schemas/schedule.js';
import type { CalledModule, CodeOf, ManifestIn } from '../sdk/addressed.js';
import type { ActionName, Input, Output, TypedManifest } from '../sdk/define-manifest.js';
import type { Refused } from '../sdk/refused.js';
import type { When } from './schedule-later.js';
import type { CallOptions, ResultOptions } from './task-client.js';

/** A command that is stored and not yet handled, as far as its sender knows. */
export interface StoredCommand {
  /** Its sequence in the log. */
  readonly seq: number;
}

/** An input may be left out if `{}` is one. */
export type InputGiven<In, Rest extends readonly unknown[]> =
  Record<never, never> extends In
    ? readonly [input?: In, ...rest: Rest]
    : readonly [input: In, ...rest: Rest];

/**
 * One action of a module, ready to be called. A call is sent at once, also if you do not await it.
 *
 * @example const { left } = await tally.agent(tickets, 'hamlet').sell({ seats: 2 });
 */
export interface ActionCall<In, Out, Code extends string> {
  /** Stores the command and waits for its result. Resolves with the output; throws {@link Refused}. */
  (...given: InputGiven<In, [options?: CallOptions]>): Promise<Out>;
  /** The same, but resolves with `{ _tag: 'Left', left: Refused }` or `{ _tag: 'Right', right: output }`. */
  readonly try: (...given: InputGiven<In, [options?: CallOptions]>) => Promise<Either<Refused<Code>, Out>>;
  /** Stores the command and does not wait for its result. Throws {@link Refused}. */
  readonly send: (...given: InputGiven<In, [options?: CallOptions]>) => Promise<StoredCommand>;
  /**
   * The result of a command that you sent before, also in an earlier process: what a call would have resolved with.
   * Waits until there is one. Throws {@link Refused}: COMMAND_UNKNOWN if `command` is no command of this action and
   * agent; NOT_ALLOWED if another account sent it; LOG_UNCERTAIN if the result did not come in time.
   *
   * @example const { seq } = await hamlet.sell.send({ seats: 2 });
   * const { left } = await hamlet.sell.result(seq);
   */
  readonly result: (command: number, options?: ResultOptions) => Promise<Out>;
  /**
   * Has the broker send the command later, once or repeatedly. Resolves when the broker has stored the schedule. Throws
   * {@link Refused}: SCHEDULE_INVALID, SCHEDULES_FULL and others.
   *
   * @example await tally.agent(tickets, 'hamlet').sell.schedule({ seats: 2 }, { in: '10m' });
   */
  readonly schedule: (input: In, when: When, options?: CallOptions) => Promise<Schedule>;
}

/** An action of a module, ready to be called. */
export type Callable<M extends TypedManifest, A extends ActionName<M>> = ActionCall<
  Input<M, A>,
  Output<M, A>,
  CodeOf<M, A>
>;

/** The names of a module's actions, by whether they are for the module itself. */
export type NamesOf<M extends TypedManifest, Kind extends 'agent' | 'module'> = {
  [A in ActionName<M>]: M['actions'][A] extends { readonly agent: 'none' }
    ? Kind extends 'module'
      ? A
      : never
    : Kind extends 'agent'
      ? A
      : never;
}[ActionName<M>];

/** The actions of a module that are for one of its agents, by name. */
export type AgentActions<C extends CalledModule> = {
  readonly [A in NamesOf<ManifestIn<C>, 'agent'>]: Callable<ManifestIn<C>, A>;
};

/** The actions of a module that are for the module itself (`agent: 'none'`), by name. */
export type ModuleActions<C extends CalledModule> = {
  readonly [A in NamesOf<ManifestIn<C>, 'module'>]: Callable<ManifestIn<C>, A>;
};
