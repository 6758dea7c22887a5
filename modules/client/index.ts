/** How a program that is no module talks to modules: by promises, or by tasks of fp-ts. */
export type { ActionCall, AgentActions, ModuleActions, StoredCommand } from './action-calls.js';
export type { AcceptedCommand, CommandProducer } from './command-producer.js';
export type { CancelOptions } from './send-cancel.js';
export type { RestartOptions } from './send-restart.js';
export { type ConnectOptions, connect } from './open-tally.js';
export type { When } from './schedule-later.js';
export type { EventName, EventSubscription, SubscribedEvent, SubscribeOptions } from './subscribe.js';
export type { ModuleCalls, StateOf } from './module-calls.js';
export type { Tally } from './tally-calls.js';
export {
  type CallOptions,
  type ResultOptions,
  type CallReceipt,
  type Client,
  createClient,
} from './task-client.js';
export {
  createProducer,
  type ProducerSettings,
  type SendOptions,
  type TaskProducer,
} from './task-producer.js';
