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
