import type { ModuleDirectory } from '../gateway/directory.js';

/** Those of the entries, such as `accounts.deposited` or `accounts.>`, that no module emits which is known now. */
export const unknownEvents = (
  entries: readonly string[],
  directory: Pick<ModuleDirectory, 'find'>,
): readonly string[] =>
  entries.filter((entry) => {
    const [module = '', event = ''] = entry.split('.');
    const events = directory.find(module)?.manifest.events;
    return events === undefined || (event !== '>' && !Object.hasOwn(events, event));
  });
