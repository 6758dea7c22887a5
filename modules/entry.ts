/** `tallystick`: what the author of a module imports, and of a program that talks to modules. */
export {
  type AcceptedCommand,
  type ActionCall,
  type AgentActions,
  type CallOptions,
  type CancelOptions,
  type RestartOptions,
  type ResultOptions,
  type CommandProducer,
  type ConnectOptions,
  connect,
  type EventName,
  type EventSubscription,
  type ModuleActions,
  type ModuleCalls,
  type ProducerSettings,
  type SendOptions,
  type StateOf,
  type StoredCommand,
  type SubscribedEvent,
  type SubscribeOptions,
  type Tally,
  type When,
} from './client/index.js';
export {
  type ActionName,
  type Call,
  type CalledModule,
  type CodeOf,
  type Command,
  type Decide,
  type Decision,
  type DefinedModule,
  defineManifest,
  defineModule,
  type EffectContext,
  type EventOf,
  type Input,
  type Module,
  type Output,
  ok,
  Refused,
  type Rejection,
  type Run,
  reject,
  type Send,
  type RunSaga,
  type RunStep,
  type SignalOptions,
  type SleepTime,
  type StandardSchema,
  type StepContext,
  type StepFunction,
  type StepOptions,
  type TaskSaga,
  type Together,
  type Waits,
  send,
  Type,
  type TypedManifest,
  type Undo,
} from './sdk/index.js';

/** The types that the signatures above need, for a program that names them. */
export type { Receipt } from '../journal/append/draft.js';
export type { Resumed } from '../journal/producer/resumption.js';
export type { Cancelled, CancelledSchema } from '../schemas/cancel.js';
export type { Restarted, RestartedSchema } from '../schemas/restart.js';
export type { ERRORS, ErrorCode, ErrorRow, FaultStatus } from '../schemas/error-table.js';
export type { DeliveredEvent, DeliveredEventSchema } from '../schemas/delivered-event.js';
export type { Fault } from '../schemas/errors.js';
export type { Folded, FoldedSchema } from '../schemas/folded-events.js';
export type { StoredSignal } from '../schemas/signal.js';
export type { Heard, HeardSchema } from '../schemas/heard-events.js';
export type { ActionManifest, ActionSchema, Manifest, ManifestSchema } from '../schemas/manifest.js';
export type { Refusal, ResultError, ResultErrorSchema } from '../schemas/result.js';
export type { Schedule, ScheduleSchema } from '../schemas/schedule.js';
export type { Address } from '../schemas/subjects.js';
export type { JsonSchema } from '../schemas/validate.js';
export type { AgentState } from '../store/snapshots/module-agents.js';
export type { Callable, InputGiven, NamesOf } from './client/action-calls.js';
export type { StateIn } from './client/module-calls.js';
export type { Addressed, ManifestIn, ModuleOrManifest } from './sdk/addressed.js';
export type {
  ActionOptions,
  CodesOf,
  DataOf,
  DerivedManifest,
  EffectfulHandler,
  EventDefinition,
  EventHandlerOptions,
  Frozen,
  Handled,
  HandlerResult,
  FoldDefinition,
  HeardEvent,
  ModuleDefinition,
  NoConfig,
  PureHandler,
  RunContext,
  Schemas,
  Self,
} from './sdk/module-definition.js';
export type { Action, EffectAction, PureAction } from './sdk/module-shape.js';
export type { EventsByName, NamedEvent } from './sdk/ok-reject.js';
export type { AnySchema, InManifest, TypeOf, Validated } from './sdk/schema-of.js';
