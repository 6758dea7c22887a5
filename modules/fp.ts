import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Addressed, CalledModule, CodeOf, ManifestIn } from './sdk/addressed.js';
import type { ActionName, Output } from './sdk/define-manifest.js';
import type { Call } from './sdk/call-in-handler.js';
import type { Refused } from './sdk/refused.js';

/**
 * `tallystick/fp`: the calls of `tallystick` as tasks of fp-ts, for those who prefer them. A task does nothing until
 * you run it.
 */
export {
  type CallReceipt,
  type Client,
  createClient,
  createProducer,
  type TaskProducer,
} from './client/index.js';

/**
 * The `call` of a handler as a function that returns a task.
 *
 * @example taskCall(call)(accounts, 'deposit', 'anna', { amount: 5 })
 */
export const taskCall =
  (call: Call) =>
  <C extends CalledModule, A extends ActionName<ManifestIn<C>>>(
    module: C,
    action: A,
    ...to: Addressed<ManifestIn<C>, A>
  ): TaskEither<Refused<CodeOf<ManifestIn<C>, A>>, Output<ManifestIn<C>, A>> =>
  () =>
    call.try(module, action, ...to);

/** The types that the signatures above need, for a program that names them. */
export type { Appended, JournalError, Receipt } from '../journal/append/draft.js';
export type { Accepted } from '../journal/producer/producer-options.js';
export type { Resumed } from '../journal/producer/resumption.js';
export type { ERRORS, ErrorCode, ErrorRow, FaultStatus } from '../schemas/error-table.js';
export type { Fault } from '../schemas/errors.js';
export type { ActionManifest, ActionSchema, Manifest, ManifestSchema } from '../schemas/manifest.js';
export type { Refusal, ResultError, ResultErrorSchema } from '../schemas/result.js';
export type { Address } from '../schemas/subjects.js';
export type { JsonSchema } from '../schemas/validate.js';
export type { CallOptions, ResultOptions } from './client/task-client.js';
export type { ProducerSettings, SendOptions, Sending } from './client/task-producer.js';
export type { Addressed, CalledModule, CodeOf, ManifestIn, ModuleOrManifest } from './sdk/addressed.js';
export type { Call } from './sdk/call-in-handler.js';
export type { ActionName, Input, Output, TypedManifest } from './sdk/define-manifest.js';
export type { Send } from './sdk/module-shape.js';
export type { Refused } from './sdk/refused.js';
