import { isRight } from 'fp-ts/lib/Either.js';
import type { CageMode } from '../../schemas/cage.js';
import { type CommandLine, inCage } from './caged-command.js';
import { type Cage, findCage } from './find-cage.js';
import { realPath } from './readable-paths.js';

/** Code of a module that runs without a broker: to read its manifest, to fold its past, to handle commands again. */
export interface LoneCode {
  /** Its directory: paths in {@link read} begin there. */
  readonly dir: string;
  /** Directories of its code. */
  readonly code: readonly string[];
  /** What its manifest wants to read. */
  readonly read?: readonly string[] | undefined;
  /** The data directory of the broker, if it is known: the code reads nothing of it but itself. */
  readonly secret?: string | undefined;
}

/** A place that no machine has. */
const NOWHERE = '/nowhere';

/** What code may know of where it runs: never a credential. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'] as const;

let found: Promise<Cage | undefined> | undefined;

/** The layers of this machine; undefined: it has none, or the cage is off. */
export const cageHere = async (mode: CageMode = 'auto'): Promise<Cage | undefined> => {
  if (mode === 'off') return undefined;
  found ??= findCage('auto').then((finding) => (isRight(finding) ? finding.right.cage : undefined));
  return found;
};

/** The variables for a process with such code. */
export const loneEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(INHERITED.map((key) => [key, process.env[key]]));

/** A program that runs such code, in a cage without a port, a socket, another process, or a place to write. */
export const loneLine = (
  cage: Cage,
  line: CommandLine,
  { dir, code, read = [], secret }: LoneCode,
): CommandLine =>
  inCage(
    cage,
    {
      ...{ dir, code, write: [], connect: [], listen: [] },
      isAlone: true,
      secret: realPath(secret ?? NOWHERE) ?? NOWHERE,
      request: { read: [...read] },
    },
    line,
  );

const REFUSED: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM']);

/** Behind the message of an error of such code: what to do, if it may be the cage that refused. */
export const ifRefused = (thrown: unknown): string =>
  REFUSED.has((thrown as NodeJS.ErrnoException | undefined)?.code)
    ? '; the cage refuses that to code that is loaded outside of a broker: name files in `cage.read` of the manifest, do the rest in handlers, or start the broker with `--cage off`'
    : '';
