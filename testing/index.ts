/** Tests of modules: given, when, then for one handler; and modules together, with their log, in one process. */
export {
  type ScriptedReply,
  type ScriptedSignals,
  answered,
  rejected,
} from './specification/scripted-calls.js';
export {
  type AgentSpecification,
  type ExpectedOfEffect,
  type CommandOptions,
  type HeardOptions,
  type Expected,
  type ExpectedWithCalls,
  type ExpectedOfCommand,
  type Specification,
  type SpecificationOptions,
  specification,
} from './specification/specification.js';
export {
  type InProcessOptions,
  type InProcessTally,
  type RunnableModule,
  startInProcess,
} from './in-process/in-process-tally.js';
export type { TestClock } from './in-process/test-clock.js';

/** The types that the signatures above need, for a program that names them. */
export type {
  ActionCall,
  AgentActions,
  Callable,
  InputGiven,
  ModuleActions,
  NamesOf,
  StoredCommand,
} from '../modules/client/action-calls.js';
export type { ModuleCalls, StateIn, StateOf } from '../modules/client/module-calls.js';
export type {
  EventName,
  EventSubscription,
  SubscribedEvent,
  SubscribeOptions,
} from '../modules/client/subscribe.js';
export type { When } from '../modules/client/schedule-later.js';
export type { CallOptions, ResultOptions } from '../modules/client/task-client.js';
export type { CalledModule, CodeOf, ManifestIn, ModuleOrManifest } from '../modules/sdk/addressed.js';
export type { ActionName, EventOf, Input, Output, TypedManifest } from '../modules/sdk/define-manifest.js';
export type {
  Action,
  Command,
  Decision,
  EffectAction,
  EffectContext,
  Module,
  PureAction,
  Rejection,
  Send,
} from '../modules/sdk/module-shape.js';
export type { Refused } from '../modules/sdk/refused.js';
export type { DeadLetter, DeadLetterSchema } from '../schemas/dead.js';
export type { ERRORS, ErrorCode, ErrorRow, FaultStatus } from '../schemas/error-table.js';
export type { ActionManifest, ActionSchema, Manifest, ManifestSchema } from '../schemas/manifest.js';
export type { HistoryLine, HistoryRecordSchema } from '../schemas/record.js';
export type { Refusal, ResultError, ResultErrorSchema } from '../schemas/result.js';
export type { Schedule, ScheduleSchema } from '../schemas/schedule.js';
export type { Address } from '../schemas/subjects.js';
export type { JsonSchema } from '../schemas/validate.js';
export type { AgentState } from '../store/snapshots/module-agents.js';
export type { StoredSignal } from '../schemas/signal.js';
export type { StepContext, StepFunction, StepOptions } from '../modules/sdk/step-function.js';
export type { TaskSaga, Undo } from '../modules/sdk/saga.js';
export type { SignalOptions, SleepTime } from '../modules/sdk/sleep-time.js';
