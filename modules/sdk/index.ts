/** What a module's author, or a program that talks to modules, imports. */
export { type CallOptions, type Client, createClient, type CallReceipt } from './client.js';
export type { Decide, Run } from './handlers.js';
export {
  type ActionName,
  defineManifest,
  type EventOf,
  type Input,
  type Output,
  type TypedManifest,
} from './define-manifest.js';
export {
  type CommandProducer,
  createProducer,
  type ProducerSettings,
  type SendOptions,
} from './open-producer.js';
export {
  type Command,
  type Decision,
  defineModule,
  type EffectContext,
  type Module,
  type Rejection,
  type Send,
  send,
} from './define-module.js';
