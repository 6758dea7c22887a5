import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { MODULE_ENV } from '../../schemas/control.js';
import type { Manifest } from '../../schemas/manifest.js';
import type { CommandLine } from '../../system/cage/caged-command.js';
import { cageHere, loneEnvironment, loneLine } from '../../system/cage/lone-code.js';

const PROGRAM = join(import.meta.dirname, 'runner-main.js');

const isKnown = (flag: string): boolean => process.allowedNodeEnvironmentFlags.has(flag);

/**
 * Node's own refusal of writing, of processes and of threads; 20 and 22 name it differently. Addons are libraries'
 * business.
 */
const permissionFlags = (): readonly string[] => {
  const refusal = ['--permission', '--experimental-permission'].find(isKnown);
  if (refusal === undefined) return [];
  return [refusal, '--allow-fs-read=*', ...['--allow-addons'].filter(isKnown), '--no-warnings'];
};

/** The code that a runner has. */
export interface RunnerCode {
  readonly dir: string;
  readonly name: string;
  readonly manifest: unknown;
  readonly manifestPath: string;
  /** The data directory of the broker, if it is known: the code reads nothing of it but itself. */
  readonly secret?: string | undefined;
}

/** Starts the process, in a cage with all layers that the machine has. */
export const startRunner = async (code: RunnerCode): Promise<ChildProcess> => {
  const cage = await cageHere();
  const line: CommandLine = [process.execPath, [...permissionFlags(), PROGRAM]];
  const lone = {
    dir: code.dir,
    code: [code.dir, dirname(code.manifestPath)],
    read: (code.manifest as Manifest).cage?.read,
    secret: code.secret,
  };
  const [program, args] = cage === undefined ? line : loneLine(cage, line, lone);
  return spawn(program, [...args], {
    cwd: code.dir,
    serialization: 'advanced',
    // What the code prints must not get between what is printed of it.
    stdio: ['ignore', 2, 2, 'ipc'],
    env: {
      ...loneEnvironment(),
      [MODULE_ENV.name]: code.name,
      [MODULE_ENV.manifest]: code.manifestPath,
    },
  });
};
