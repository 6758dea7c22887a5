import { once } from 'node:events';
import { type HostAssignment, MODULE_ENV } from '../../schemas/control.js';

/** Waits until this host has a module, and takes over its environment. Returns its arguments and the module's seed. */
export const assignment = async (): Promise<Pick<HostAssignment, 'args' | 'seed' | 'keys'>> => {
  const given = once(process, 'message');
  // What every module imports.
  await import('../entry.js');
  const [{ args, seed, keys, cwd, env }] = (await given) as [HostAssignment];
  // The channel would keep a module that was stopped.
  process.disconnect();
  delete process.env[MODULE_ENV.spare];
  Object.assign(process.env, env);
  process.chdir(cwd);
  return { args, seed, ...(keys === undefined ? {} : { keys }) };
};
