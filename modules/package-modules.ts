/** `tallystick/modules`: the modules of this package, for callers and for the tests of callers. */
export { default as accounts } from './accounts/index.js';
export { default as agents } from './agents/index.js';
export { default as orders } from './orders/index.js';

/** The types that the signatures above need, for a program that names them. */
export type { ActionManifest, ActionSchema, Manifest, ManifestSchema } from '../schemas/manifest.js';
export type { Refusal, ResultError, ResultErrorSchema } from '../schemas/result.js';
export type { Address } from '../schemas/subjects.js';
export type { JsonSchema } from '../schemas/validate.js';
export type { Account, OutgoingTransfer } from './accounts/accounts-state.js';
export type { Agent, AgentsState } from './agents/agents-state.js';
export type { Register } from './agents/register.js';
export type { OrderConfirmed, OrderRefused } from './orders/orders-schemas.js';
export type {
  Order,
  OrderDetails,
  OrdersState,
  Reason,
  RefusedOrder,
  Stock,
} from './orders/orders-state.js';
export type { DefinedModule } from './sdk/define-module.js';
export type { ActionName, EventOf, Input, Output, TypedManifest } from './sdk/define-manifest.js';
export type { CodesOf, DataOf, DerivedManifest, Frozen } from './sdk/module-definition.js';
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
} from './sdk/module-shape.js';
export type { AnySchema, InManifest, StandardSchema, TypeOf, Validated } from './sdk/schema-of.js';
export type { StepContext, StepFunction, StepOptions } from './sdk/step-function.js';
export type { TaskSaga, Undo } from './sdk/saga.js';
export type { SignalOptions, SleepTime } from './sdk/sleep-time.js';
