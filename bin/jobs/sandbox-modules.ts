import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { orThrow, runOrThrow } from '../../system/lifetime.js';
import { readModule } from '../../broker/supervisor/manifest-file.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { FaultError, fault } from '../../schemas/errors.js';
import { type ModuleStatus, OPS } from '../../schemas/operate.js';
import { splitSubject } from '../../schemas/subjects.js';
import { moduleCode, moduleInfo } from './module-code.js';
import { ask } from '../../link/request-broker.js';

/** Lines of the sandbox's output that tell why a module does not start. */
const LAST_LINES = 10;

/** A module that a sandbox runs. */
export interface SandboxModule {
  readonly name: string;
  readonly dir: string;
  /** Undefined for a program in another language. */
  readonly code: AnyModule | undefined;
}

/** The modules of the recorded broker, replaced by those in `dirs`. Throws. */
export const sandboxModules = async (
  nc: NatsConnection,
  dirs: readonly string[],
): Promise<readonly SandboxModule[]> => {
  const others = new Map(dirs.map((dir) => [orThrow(readModule(dir)).manifest.name, dir]));
  const { modules } = await runOrThrow(ask<{ modules: readonly ModuleStatus[] }>(nc, OPS.moduleList));
  const names = new Set([
    ...others.keys(),
    ...modules.filter(({ state }) => state === 'loaded').map(({ name }) => name),
  ]);
  const found: SandboxModule[] = [];
  for (const name of names) {
    const dir = others.get(name) ?? (await runOrThrow(moduleInfo(nc, name))).dir;
    const source = readModule(dir);
    if (isLeft(source)) {
      const message = `${source.left.message}; --module names its source or its directory on this machine`;
      throw new FaultError(fault('MODULE_CODE_UNAVAILABLE', message));
    }
    if (source.right.manifest.encrypt === true) {
      const message = `${name} encrypts, and a sandbox gets no keys: unload it while you replay the others`;
      throw new FaultError(fault('SEALED', message));
    }
    const isProgram = !('entry' in source.right.manifest.start);
    found.push({ name, dir, code: isProgram ? undefined : await runOrThrow(moduleCode(nc, name, dir)) });
  }
  return found;
};

/**
 * Actions whose handlers can reach outside the sandbox: effectful ones, and all of a program in another language. A
 * decider is a function of state and command.
 */
const effectfulActions = (
  modules: readonly SandboxModule[],
  subjects: Iterable<string>,
): readonly string[] => {
  const byName = new Map(modules.map((module) => [module.name, module]));
  const found = new Set<string>();
  for (const text of subjects) {
    const subject = splitSubject(text);
    const module = subject?.kind === 'cmd' ? byName.get(subject.module) : undefined;
    if (subject?.kind !== 'cmd' || module === undefined) continue;
    const action = module.code?.actions[subject.name] as object | undefined;
    if (module.code === undefined || (action !== undefined && !('decide' in action)))
      found.add(`${subject.module}.${subject.name}`);
  }
  return [...found].sort();
};

/** USAGE with the handlers that would run, if the user has not allowed them. */
export const checkEffects = (
  modules: readonly SandboxModule[],
  subjects: Iterable<string>,
  allowed: boolean,
): void => {
  const found = allowed ? [] : effectfulActions(modules, subjects);
  if (found.length === 0) return;
  const message =
    `${found.join(', ')}: these handlers can reach outside the sandbox, for example with a request over the network; ` +
    '--allow-effects runs them';
  throw new FaultError(fault('USAGE', message));
};

/** MODULE_START_FAILED if a module does not run in the sandbox: its commands would get no result. */
export const checkRunning = async (nc: NatsConnection, dataDir: string): Promise<void> => {
  const { modules } = await runOrThrow(ask<{ modules: readonly ModuleStatus[] }>(nc, OPS.moduleList));
  const idle = modules.filter(({ state }) => state !== 'loaded');
  if (idle.length === 0) return;
  const names = idle.map(({ name }) => name).join(', ');
  const log = readFileSync(join(dataDir, 'broker.log'), 'utf8').trim().split('\n').slice(-LAST_LINES);
  const message = `${names} did not start in the sandbox:\n  ${log.join('\n  ')}`;
  throw new FaultError(fault('MODULE_START_FAILED', message));
};
