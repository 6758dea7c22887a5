import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { isRight } from 'fp-ts/lib/Either.js';
import { MODULE_ENV } from '../../schemas/control.js';
import type { Manifest } from '../../schemas/manifest.js';
import { type Cage, findCage } from '../../system/cage/find-cage.js';
import { type CommandLine, inCage } from '../../system/cage/caged-command.js';

const PROGRAM = join(import.meta.dirname, 'runner-main.js');

/** What code may know of where it runs: never a credential. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'] as const;

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

/** A place that no machine has. */
const NOWHERE = '/nowhere';

const caged = (cage: Cage, line: CommandLine, { dir, manifest, manifestPath, secret }: RunnerCode) => {
  const { read = [] } = (manifest as Manifest).cage ?? {};
  return inCage(
    cage,
    {
      dir,
      code: [dir, dirname(manifestPath)],
      // It needs no place to write, no port, and what its manifest asks for besides files to read.
      write: [],
      connect: [],
      listen: [],
      secret: secret ?? NOWHERE,
      request: { read },
    },
    line,
  );
};

let found: Promise<Cage | undefined> | undefined;

/** The layers of this machine; undefined: it has none. */
const cageHere = (): Promise<Cage | undefined> => {
  found ??= findCage('auto').then((finding) => (isRight(finding) ? finding.right.cage : undefined));
  return found;
};

/** Starts the process, in a cage with all layers that the machine has. */
export const startRunner = async (code: RunnerCode): Promise<ChildProcess> => {
  const cage = await cageHere();
  const line: CommandLine = [process.execPath, [...permissionFlags(), PROGRAM]];
  const [program, args] = cage === undefined ? line : caged(cage, line, code);
  return spawn(program, [...args], {
    cwd: code.dir,
    serialization: 'advanced',
    // What the code prints must not get between what is printed of it.
    stdio: ['ignore', 2, 2, 'ipc'],
    env: {
      ...Object.fromEntries(INHERITED.map((key) => [key, process.env[key]])),
      [MODULE_ENV.name]: code.name,
      [MODULE_ENV.manifest]: code.manifestPath,
    },
  });
};
