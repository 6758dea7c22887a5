import { type Either, left } from 'fp-ts/lib/Either.js';
import { FaultError, fault } from '../../schemas/errors.js';
import { promisedCall } from './call-in-handler.js';
import type { AnyEvent } from './checked-outcome.js';
import type { TypedManifest } from './define-manifest.js';
import { eventActions } from './event-handlers.js';
import type { Action, AnyModule, Command, Decision, EffectContext, Rejection } from './module-shape.js';
import type { AnyDefinition, Handled, RunContext } from './module-definition.js';
import { noteDefinedAt } from './defined-at.js';
import { promisedSaga } from './saga.js';
import { promisedStep } from './step-in-handler.js';
import { Refused } from './refused.js';
import { KnownPromises, together } from './together.js';
import { promisedWaits } from './wait-in-handler.js';
import { type AnySchema, inManifest } from './schema-of.js';

type Returned = Either<Rejection, Decision<unknown, AnyEvent>>;
/** A handler as the author wrote it, its types checked where it was defined. */
type AnyHandler = (state: unknown, input: unknown, context: unknown) => unknown;
interface AnySelf {
  readonly manifest: TypedManifest;
}
interface AnyActionDefinition {
  readonly decide?: AnyHandler;
  readonly run?: AnyHandler;
}
type Upcasts = Record<number, Record<string, (data: never) => unknown>>;

const mapped = <T, R>(
  from: Readonly<Record<string, T>>,
  to: (value: T, name: string) => R,
): Record<string, R> =>
  Object.fromEntries(Object.entries(from).map(([name, value]) => [name, to(value, name)]));

type Handlers = ReturnType<typeof eventActions>;

const manifestOf = (definition: AnyDefinition, { on, actions: heard }: Handlers): TypedManifest => {
  const {
    name,
    state: _,
    events = {},
    actions: called,
    on: __,
    folds,
    config,
    onConfig,
    ...rest
  } = definition;
  const actions = { ...called, ...heard } as typeof called;
  return {
    name,
    ...rest,
    ...(config === undefined ? {} : { config: inManifest(config, `the configuration of ${name}`) }),
    ...(onConfig === undefined ? {} : { configChange: 'live' }),
    actions: mapped(actions, ({ decide, run, input, output, ...options }, action) => ({
      agent: 'required',
      ...options,
      input: inManifest(input, `the input of ${name}.${action}`),
      output: inManifest(output, `the output of ${name}.${action}`),
    })),
    events: mapped(events, ({ description, data }, event) => ({
      ...(description === undefined ? {} : { description }),
      data: inManifest(data, `the data of the event ${name}.${event}`),
    })),
    ...(Object.keys(on).length === 0 ? {} : { on }),
    ...(folds === undefined
      ? {}
      : {
          folds: mapped(folds, ({ data, agent, to }, each) => ({
            data: inManifest(data, `the data of ${each}`),
            ...(agent === undefined ? {} : { agent }),
            ...(to === undefined ? {} : { to }),
          })),
        }),
    // The loader puts the module's program there.
    start: { entry: './index.js' },
  } as TypedManifest;
};

/** Field by field: a rest pattern takes half a microsecond, for each command. */
const handled = <S>(
  { seq, time, agent, sender, conversation, config }: Command,
  self: S,
): Handled<S, AnySchema> => ({
  seq,
  time,
  agent,
  sender,
  conversation,
  self,
  config: config as never,
});

const runContext = (
  command: Command,
  self: AnySelf,
  {
    call,
    step,
    saga,
    sleep,
    sleepUntil,
    awaitSignal,
    createPromise,
    emit,
    signal,
  }: EffectContext<unknown, AnyEvent>,
): RunContext<unknown, Record<string, never>, AnySchema> => {
  const known = new KnownPromises();
  const steps = promisedStep(step, known);
  return {
    ...handled(command, self),
    call: promisedCall(call, known),
    step: steps,
    saga: promisedSaga(saga),
    ...promisedWaits({ sleep, sleepUntil, awaitSignal, createPromise }, known),
    ...together(steps, known),
    emit: (name, data) => emit({ name, data }),
    signal,
  };
};

const actionOf = (
  { decide, run }: AnyActionDefinition,
  name: string,
  manifest: TypedManifest,
): Action<unknown, unknown, unknown, AnyEvent> => {
  const self: AnySelf = { manifest };
  if (typeof decide === 'function' && run === undefined) {
    return {
      decide: (state, command) => decide(state, command.data, handled(command, self)) as Returned,
    };
  }
  if (typeof run !== 'function' || decide !== undefined) {
    const message = `the action ${manifest.name}.${name} needs one handler: decide, which is pure, or run, which is async`;
    throw new FaultError(fault('MANIFEST_INVALID', message, `/actions/${name}`));
  }
  return {
    run: (command, context) => async () => {
      try {
        const running = run(context.state, command.data, runContext(command, self, context));
        return (await (typeof running === 'function' ? running() : running)) as Returned;
      } catch (thrown) {
        // A refusal that the handler does not catch is its own. The object is the same, so the host knows it again.
        if (thrown instanceof Refused) return left(thrown.error);
        throw thrown;
      }
    },
  };
};

/** Upcasts by version and event, as the host has them. */
const upcastsOf = (events: NonNullable<AnyDefinition['events']>): Upcasts => {
  const upcasts: Upcasts = {};
  for (const [event, { upcast = {} }] of Object.entries(events)) {
    for (const [version, lift] of Object.entries(upcast)) {
      upcasts[Number(version)] = { ...upcasts[Number(version)], [event]: lift };
    }
  }
  return upcasts;
};

/** Makes a module of its definition: the manifest is derived. Throws MANIFEST_INVALID. */
export const deriveModule = (definition: AnyDefinition): AnyModule => {
  const { name: module, state, events = {}, on = {}, folds = {}, onConfig } = definition;
  const handlers = eventActions(module, on);
  const actions = { ...definition.actions, ...handlers.actions };
  const manifest = manifestOf(definition, handlers);
  const upcast = upcastsOf(events);
  return noteDefinedAt({
    manifest,
    initial: state,
    actions: mapped(actions as Record<string, AnyActionDefinition>, (action, name) =>
      actionOf(action, name, manifest),
    ),
    evolve: mapped(
      { ...events, ...folds },
      ({ evolve }) => evolve as (state: unknown, data: unknown) => unknown,
    ),
    ...(onConfig === undefined ? {} : { onConfig: onConfig as NonNullable<AnyModule['onConfig']> }),
    ...(Object.keys(upcast).length === 0 ? {} : { upcast }),
  });
};
