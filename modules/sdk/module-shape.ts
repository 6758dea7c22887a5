import type { Either } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Static } from 'typebox';
import type { Refusal } from '../../schemas/result.js';
import type { Address } from '../../schemas/subjects.js';
import type { TaskSaga } from './saga.js';
import type { StepFunction, StepOptions } from './step-function.js';
import type { SignalOptions, SleepTime } from './sleep-time.js';
import type { ActionName, EventOf, Input, Output, TypedManifest } from './define-manifest.js';

/** A command as a handler sees it: already checked against the schema of its action. */
export interface Command<Data = unknown> {
  /** Its sequence in the log: its identity. */
  readonly seq: number;
  /** When it was stored, RFC 3339. Deciders take time from here, so that history decides the same again. */
  readonly time: string;
  /** The agent it is addressed to; empty for an action of the module itself. */
  readonly agent: string;
  /** Who sent it, as the server authenticated it: a module's name, `guest` or `operator`. */
  readonly sender: string;
  /** Sequence of the first record of its conversation. */
  readonly conversation: number;
  readonly data: Data;
  /** The configuration of the module when the handler began, by key; nothing may change it. */
  readonly config?: unknown;
}

/** A no of the domain. `code` is the module's own, in capitals: `INSUFFICIENT_FUNDS`. */
export interface Rejection<Code extends string = string> {
  readonly code: Code;
  readonly message: string;
  readonly path?: string;
  readonly retryable?: boolean;
}

/** A command that an outcome causes; made with `send`. */
export interface Send extends Address {
  readonly data: unknown;
}

/** What a handled command leads to. It becomes one record: all of it holds, or nothing of it. */
export interface Decision<Data, Event> {
  /** What the caller gets. */
  readonly data: Data;
  /** Events of the command's own agent, folded into its state in this order. */
  readonly events?: readonly Event[];
  /** Commands to send, to this module or to those it depends on. */
  readonly commands?: readonly Send[];
}

/**
 * A pure handler, `{ decide }`: the same state and command give the same decision, today and when history is run
 * again.
 */
export interface PureAction<State, In, Out, Event> {
  readonly decide: (state: State, command: Command<In>) => Either<Rejection, Decision<Out, Event>>;
}

/** What an effectful handler may do besides computing. */
export interface EffectContext<State, Event> {
  /** State of the command's agent when handling began; nothing changes it until the handler is done. */
  readonly state: State;
  /** Aborted when the deadline of the action passes. */
  readonly signal: AbortSignal;
  /**
   * Adds an event to the outcome, before those of the decision. It is recorded with the outcome or not at all: a
   * handler that is rejected, throws or runs again after a crash has emitted nothing.
   */
  readonly emit: (event: Event) => void;
  /**
   * Calls an action and waits for its result. The call is a separate command in the log; when the handler runs again
   * after a crash, it gets the answer that the log already has, so calls must come in the same order every time.
   */
  readonly call: <M extends TypedManifest, A extends ActionName<M>>(
    manifest: M,
    action: A,
    agent: string | undefined,
    data: Input<M, A>,
  ) => TaskEither<Refusal, Output<M, A>>;
  /**
   * Runs an effect outside, and stores what it returned or how it failed. When the handler runs again it gets the
   * stored value. Steps and calls share their numbers, and must come in the same order every time.
   */
  readonly step: <T>(name: string, run: StepFunction<T>, options?: StepOptions) => TaskEither<Refusal, T>;
  /** Undoes what was done if the rest is refused, fails, or is cancelled. */
  readonly saga: TaskSaga;
  /** Waits so many milliseconds, as {@link Waits} says. Waits share their numbers with calls and steps. */
  readonly sleep: (ms: number) => TaskEither<Refusal, void>;
  /** Waits until a time, likewise. */
  readonly sleepUntil: (time: SleepTime) => TaskEither<Refusal, void>;
  /** Waits for a signal to the agent, and gives its data, likewise. */
  readonly awaitSignal: (name: string, options?: SignalOptions) => TaskEither<Refusal, unknown>;
  /** Makes a promise that the holder of its id ends once, likewise. `settled` gives its value. */
  readonly createPromise: (
    options?: SignalOptions,
  ) => TaskEither<Refusal, { readonly id: string; readonly settled: TaskEither<Refusal, unknown> }>;
}

/** An effectful handler, `{ run }`: it calls others or the outside world. */
export interface EffectAction<State, In, Out, Event> {
  readonly run: (
    command: Command<In>,
    context: EffectContext<State, Event>,
  ) => TaskEither<Rejection, Decision<Out, Event>>;
}

export type Action<State, In, Out, Event> =
  | PureAction<State, In, Out, Event>
  | EffectAction<State, In, Out, Event>;

/** State must be plain JSON: it is what a snapshot holds. */
export interface Module<M extends TypedManifest, State> {
  readonly manifest: M;
  /** The state of an agent that nothing has happened to. */
  readonly initial: State;
  readonly actions: { readonly [A in ActionName<M>]: Action<State, Input<M, A>, Output<M, A>, EventOf<M>> };
  /** How each event changes the state of its agent. Pure. */
  readonly evolve: {
    readonly [E in keyof M['events'] & string]: (state: State, data: Static<M['events'][E]['data']>) => State;
  };
  /**
   * Takes a new configuration in the running process; the manifest has `configChange: 'live'`. Handlers that begin
   * later see it. If it throws, the broker restarts the module.
   */
  readonly onConfig?: (config: never) => unknown;
  /**
   * By schema version and event: what lifts the data of an event that was recorded in that version to the next one.
   * Pure. An event without one did not change there.
   */
  readonly upcast?: {
    readonly [from: number]: { readonly [E in keyof M['events'] & string]?: (data: never) => unknown };
  };
}

/** A module as the host runs it, its types checked where it was defined. */
export type AnyModule = Module<TypedManifest, unknown> & {
  /** Digest of the code that it was loaded from; absent where a program made it by itself. */
  readonly code?: string;
};
