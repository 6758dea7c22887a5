import type { Either } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { TNull, TObject, TUnsafe } from 'typebox';
import type { DeliveredEvent } from '../../schemas/delivered-event.js';
import type { Folded } from '../../schemas/folded-events.js';
import type { Heard } from '../../schemas/heard-events.js';
import type { ActionManifest, Manifest } from '../../schemas/manifest.js';
import type { Call } from './call-in-handler.js';
import type { TypedManifest } from './define-manifest.js';
import type { RunSaga } from './saga.js';
import type { RunStep } from './step-in-handler.js';
import type { Waits } from './wait-in-handler.js';
import type { Command, Decision, Rejection } from './module-shape.js';
import type { NamedEvent } from './ok-reject.js';
import type { Together } from './together.js';
import type { AnySchema, InManifest, TypeOf } from './schema-of.js';

/** A value that nothing may change: what a handler returns may be a part of the state. */
export type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** Schemas by their names. */
export type Schemas = Readonly<Record<string, AnySchema>>;

/** What each event carries, by name. */
export type DataOf<Events> = { [E in keyof Events]: Frozen<TypeOf<Events[E]>> };

/** The codes that an action declares; any code, if it declares none. */
export type CodesOf<Codes> = Codes extends readonly string[] ? Codes[number] : string;

/** What a handler returns: made by `ok` or `reject`. It has the shape of an `Either` of fp-ts. */
export type HandlerResult<Output, Events, Codes> = Either<
  Rejection<CodesOf<Codes>>,
  Decision<Frozen<TypeOf<Output>>, NamedEvent<DataOf<Events>>>
>;

/** The module that is being defined, as `call` and `send` take it. */
export interface Self<Name extends string, Inputs, Outputs, Agents> {
  readonly manifest: DerivedManifest<
    Name,
    Record<never, never>,
    Inputs,
    Outputs,
    Agents,
    Record<never, never>
  >;
}

/** The command that a handler handles, without its input; the module itself, and its configuration. */
export interface Handled<S, Config> extends Omit<Command, 'data' | 'config'> {
  /** This module: `send(self, 'confirm', 'item-7', …)`. */
  readonly self: S;
  /** The configuration when the handler began, with the defaults of its schema. */
  readonly config: Frozen<TypeOf<Config>>;
}

/** The schema of a module without a configuration. */
export type NoConfig = TObject<Record<never, never>>;

/** What an effectful handler may do besides computing. */
export interface RunContext<S, Events, Config> extends Handled<S, Config>, Together, Waits {
  /** Calls another module and waits for its output; see {@link Call}. */
  readonly call: Call;
  /** Runs an effect outside once, and stores its value; see {@link RunStep}. */
  readonly step: RunStep;
  /** Undoes what was done if the rest is refused, fails, or is cancelled; see {@link RunSaga}. */
  readonly saga: RunSaga;
  /** Adds an event before those of the result. It is stored with the result, or not at all. */
  readonly emit: <E extends keyof Events & string>(event: E, data: Frozen<TypeOf<Events[E]>>) => void;
  /** Aborted when the time limit of the action passes. */
  readonly signal: AbortSignal;
}

export interface EventDefinition<State, Schema> {
  readonly description?: string;
  readonly data: Schema;
  /** The agent's state after the event. Pure. */
  readonly evolve: (state: State, data: TypeOf<Schema>) => State;
  /**
   * By schema version: makes the data of an event of that version fit the next version. You annotate the old shape.
   * A version without one did not change this event.
   */
  readonly upcast?: { readonly [version: number]: (data: never) => unknown };
}

export type ActionOptions = Pick<
  ActionManifest,
  'description' | 'callers' | 'concurrency' | 'deadlineMs' | 'retry'
>;

export interface PureHandler<State, S, Input, Output, Events, Codes, Config> {
  /** A pure handler. It gets the same result each time that history is run again: no clock, no random, no I/O. */
  readonly decide: (
    state: State,
    input: TypeOf<Input>,
    command: Handled<S, Config>,
  ) => HandlerResult<Output, Events, Codes>;
  readonly run?: never;
}

export interface EffectfulHandler<State, S, Input, Output, Events, Codes, Config> {
  /** An effectful handler: it may call other modules and the outside world. */
  readonly run: (
    state: State,
    input: TypeOf<Input>,
    context: RunContext<S, Events, Config>,
  ) =>
    | Promise<HandlerResult<Output, Events, Codes>>
    | TaskEither<Rejection<CodesOf<Codes>>, Decision<Frozen<TypeOf<Output>>, NamedEvent<DataOf<Events>>>>;
  readonly decide?: never;
}

/** An event of another module, as its handler gets it. */
export interface HeardEvent<Data> extends Omit<DeliveredEvent, 'data'> {
  readonly data: Data;
}

/** How a module handles the events that it listens to, besides its handler. */
export interface EventHandlerOptions extends Omit<Heard, 'action'>, Omit<ActionOptions, 'callers'> {
  /** The name of the action that handles them; `on-accounts-deposited` if absent. */
  readonly action?: string;
  /** `module`: the module itself handles them, and no agent. */
  readonly to?: 'agent' | 'module';
}

/** How a read model folds an event of another module. */
export interface FoldDefinition<State, Schema> extends Pick<Folded, 'agent' | 'to'> {
  /** The schema of what the event carries. */
  readonly data: Schema;
  /** The state after the event. Pure. */
  readonly evolve: (state: State, event: HeardEvent<TypeOf<Schema>>) => State;
}

/** All that a module is. `defineModule` derives its manifest from this. */
export interface ModuleDefinition<
  Name extends string,
  State,
  Events,
  Inputs,
  Outputs,
  Agents,
  Codes,
  Config,
  Heards = Record<never, never>,
  Folds = Record<never, never>,
> extends Pick<
    Manifest,
    | 'version'
    | 'description'
    | 'schema'
    | 'dependencies'
    | 'limits'
    | 'cage'
    | 'sensitive'
    | 'encrypt'
    | 'index'
  > {
  readonly name: Name;
  /** The state of an agent to which nothing has happened: plain JSON. Annotate it if it does not show its type. */
  readonly state: State;
  /**
   * The schema of the configuration, an object. Each property is a key of `tallystick config`, and one with
   * `sensitive: true` is a secret. Handlers have the values in `config`.
   */
  readonly config?: Config;
  /**
   * Takes a new configuration in the running process: without it, the broker restarts the module at each change. If it
   * throws, the module is restarted too.
   */
  readonly onConfig?: (config: Frozen<TypeOf<NoInfer<Config>>>) => void | Promise<void>;
  readonly events?: { readonly [E in keyof Events]: EventDefinition<NoInfer<State>, Events[E]> };
  /**
   * Events of other modules that this one handles: `accounts.deposited`, or `accounts.>` for all events of accounts
   * that no other entry names. `data` is the schema of what they carry. The output is `null`.
   */
  readonly on?: {
    readonly [H in keyof Heards]: EventHandlerOptions & { readonly data: Heards[H] } & (
        | PureHandler<
            NoInfer<State>,
            Self<Name, NoInfer<Inputs>, NoInfer<Outputs>, NoInfer<Agents>>,
            TUnsafe<HeardEvent<TypeOf<Heards[H]>>>,
            TNull,
            NoInfer<Events>,
            unknown,
            NoInfer<Config>
          >
        | EffectfulHandler<
            NoInfer<State>,
            Self<Name, NoInfer<Inputs>, NoInfer<Outputs>, NoInfer<Agents>>,
            TUnsafe<HeardEvent<TypeOf<Heards[H]>>>,
            TNull,
            NoInfer<Events>,
            unknown,
            NoInfer<Config>
          >
      );
  };
  /**
   * Events of other modules of which this one makes its states, from the start of the log: a read model. It stores
   * nothing in the log, and has no actions and no events.
   */
  readonly folds?: { readonly [F in keyof Folds]: FoldDefinition<NoInfer<State>, Folds[F]> };
  readonly actions: {
    readonly [A in keyof Inputs]: ActionOptions & { readonly input: Inputs[A] } & (
        | PureHandler<
            NoInfer<State>,
            Self<Name, NoInfer<Inputs>, NoInfer<Outputs>, NoInfer<Agents>>,
            Inputs[A],
            A extends keyof Outputs ? NoInfer<Outputs>[A] : never,
            NoInfer<Events>,
            A extends keyof Codes ? NoInfer<Codes>[A] : unknown,
            NoInfer<Config>
          >
        | EffectfulHandler<
            NoInfer<State>,
            Self<Name, NoInfer<Inputs>, NoInfer<Outputs>, NoInfer<Agents>>,
            Inputs[A],
            A extends keyof Outputs ? NoInfer<Outputs>[A] : never,
            NoInfer<Events>,
            A extends keyof Codes ? NoInfer<Codes>[A] : unknown,
            NoInfer<Config>
          >
      );
  } & { readonly [A in keyof Outputs]: { readonly output: Outputs[A] } } & {
    /** `none`: for the module itself and not for one of its agents. */
    readonly [A in keyof Agents]: { readonly agent?: Agents[A] & ('required' | 'none') };
  } & {
    /** The codes with which the action rejects; callers get them as a union. */
    readonly [A in keyof Codes]: { readonly rejections?: Codes[A] & readonly string[] };
  };
}

/** The type of a manifest that is derived from a definition. */
export interface DerivedManifest<Name extends string, Events, Inputs, Outputs, Agents, Codes>
  extends Omit<TypedManifest, 'actions' | 'events' | 'name'> {
  readonly name: Name;
  readonly actions: {
    readonly [A in keyof Inputs & string]: Omit<
      ActionManifest,
      'input' | 'output' | 'agent' | 'rejections'
    > & {
      readonly input: InManifest<Inputs[A]>;
      readonly output: A extends keyof Outputs ? InManifest<Outputs[A]> : never;
      readonly agent: A extends keyof Agents ? (Agents[A] extends 'none' ? 'none' : 'required') : 'required';
      readonly rejections?: readonly (A extends keyof Codes ? CodesOf<Codes[A]> : string)[];
    };
  };
  readonly events: {
    readonly [E in keyof Events & string]: { description?: string; readonly data: InManifest<Events[E]> };
  };
}

export type AnyDefinition = ModuleDefinition<
  string,
  unknown,
  Schemas,
  Schemas,
  Schemas,
  unknown,
  unknown,
  AnySchema,
  Schemas,
  Schemas
>;
