import type { Fault } from '../../schemas/errors.js';
import { isName } from '../../schemas/names.js';
import { actionOf, actionUnknown, moduleUnknown } from './call-admission.js';
import type { ModuleDirectory } from './directory.js';

/** Parts of a subject `<verb>.<module>.<action>[.<agent>].<sender>`. */
const PARTS = { least: 4, most: 5 };
/** These name an action too. A command for an action that its module does not have is answered in the log. */
const WITH_ACTION: ReadonlySet<string> = new Set(['ask', 'schedule']);

/**
 * The fault of a request of people for a module or an action that is not known. It is found by the subject alone, when
 * the request comes in: such a request waits for no turn, so a flood of them is seen at once. Undefined: the request
 * has its turn, and is judged then.
 */
export const unknownNames = (
  subject: string,
  directory: Pick<ModuleDirectory, 'find'>,
): Fault | undefined => {
  const parts = subject.split('.');
  const [verb = '', name = '', action = ''] = parts;
  const isState = verb === 'state';
  if (!isState && verb !== 'send' && !WITH_ACTION.has(verb)) return undefined;
  const { least, most } = PARTS;
  // A state has no action. Whatever has other parts is no such request: its fault is another one.
  if (parts.length < (isState ? least - 1 : least) || parts.length > (isState ? most - 1 : most))
    return undefined;
  if (!isName(name)) return undefined;
  const module = directory.find(name);
  if (module === undefined) return moduleUnknown(name);
  return WITH_ACTION.has(verb) && isName(action) && actionOf(module, action) === undefined
    ? actionUnknown(module, action)
    : undefined;
};
