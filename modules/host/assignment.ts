import { once } from 'node:events';
import { type HostAssignment, MODULE_ENV } from '../../schemas/control.js';

/** Waits until this host has a module, and takes over its environment. Returns the arguments that it starts with. */
export const assignment = async (): Promise<readonly string[]> => {
  const given = once(process, 'message');
  // What every module imports.
  await import('../entry.js');
  const [{ args, cwd, env }] = (await given) as [HostAssignment];
  // The channel would keep a module that was stopped.
  process.disconnect();
  delete process.env[MODULE_ENV.spare];
  Object.assign(process.env, env);
  process.chdir(cwd);
  return args;
};
