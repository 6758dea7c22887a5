export { default as Type } from 'typebox';
/** What a module's author, or a program that talks to modules, imports. */
export { ok, reject } from './ok-reject.js';
export { Refused } from './refused.js';
export type { StandardSchema } from './schema-of.js';
export type { CalledModule, CodeOf } from './addressed.js';
export type { Call } from './call-in-handler.js';
export type { RunSaga, TaskSaga, Undo } from './saga.js';
export type { RunStep } from './step-in-handler.js';
export type { SignalOptions, SleepTime } from './sleep-time.js';
export type { Waits } from './wait-in-handler.js';
export type { Together } from './together.js';
export type { StepContext, StepFunction, StepOptions } from './step-function.js';
export type { Decide, Run } from './handlers.js';
export {
  type ActionName,
  defineManifest,
  type EventOf,
  type Input,
  type Output,
  type TypedManifest,
} from './define-manifest.js';
export { type DefinedModule, defineModule } from './define-module.js';
export type { Command, Decision, EffectContext, Module, Rejection, Send } from './module-shape.js';
export { send } from './send-command.js';
