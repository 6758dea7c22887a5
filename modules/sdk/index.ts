/** What a module's author imports. */
export type { Decide, Run } from './handlers.js';
export {
  type ActionName,
  defineManifest,
  type EventOf,
  type Input,
  type Output,
  type TypedManifest,
} from './manifest.js';
export {
  type Command,
  type Decision,
  defineModule,
  type EffectContext,
  type Module,
  type Rejection,
  type Send,
  send,
} from './module.js';
