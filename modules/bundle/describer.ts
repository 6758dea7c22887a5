import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { CageMode } from '../../schemas/cage.js';
import { cageHere, type LoneCode, loneEnvironment, loneLine } from '../../system/cage/lone-code.js';
import type { CommandLine } from '../../system/cage/caged-command.js';

/** The file descriptor that the answer comes by. What the module prints goes to stderr. */
export const ANSWER_FD = 3;

const PROGRAM = join(import.meta.dirname, 'describe-main.js');
const STDERR = 2;

/** How the code of a source is run once, to read its manifest. */
export interface DescribeCage {
  /** Default `auto`. */
  readonly cage?: CageMode | undefined;
  /** The data directory of the broker: the code reads nothing of it but itself. */
  readonly secret?: string | undefined;
}

/** What a process is asked: two files, and the directory where errors are seen from. */
export interface Question {
  readonly bundle: string;
  readonly file: string;
  readonly cwd: string;
}

interface Waiting {
  readonly child: ChildProcess;
  /** Which code it may run. */
  readonly key: string;
}

/** A process that has loaded its own files, and waits for the question which module it is to describe. */
const begun = ([program, args]: CommandLine, env: NodeJS.ProcessEnv): ChildProcess => {
  const child = spawn(program, [...args], { stdio: ['pipe', STDERR, STDERR, 'pipe'], env });
  // One that has ended says so by its end.
  child.stdin?.on('error', () => undefined);
  child.on('error', () => undefined);
  return child;
};

const isRunning = ({ pid, exitCode, signalCode }: ChildProcess): boolean =>
  pid !== undefined && exitCode === null && signalCode === null;

/** How many callers want one to wait between two modules, and the one that waits. */
let keepers = 0;
let waiting: Waiting | undefined;

const forget = (): void => {
  waiting?.child.kill('SIGKILL');
  waiting = undefined;
};

/** Keeps a process that waits for the next module, which saves the start of Node. */
export const keepDescriber = (): Disposable => {
  keepers += 1;
  return {
    [Symbol.dispose]: () => {
      keepers -= 1;
      if (keepers === 0) forget();
    },
  };
};

export interface Describer {
  readonly child: ChildProcess;
  readonly answer: Readable;
  /** Call it when its process has ended. */
  readonly done: () => void;
}

/** A process that waits does not know its bundle yet: it may read all builds that have not ended. */
const codeOf = ({ bundle, file }: Question): LoneCode['code'] => {
  const built = dirname(bundle);
  return [keepers > 0 ? dirname(built) : built, dirname(file)];
};

/** Asks a process about a module: one that waits, or a new one. */
export const askDescriber = async (
  question: Question,
  { cage: mode, secret }: DescribeCage,
): Promise<Describer> => {
  const cage = await cageHere(mode);
  const line: CommandLine = [process.execPath, [PROGRAM]];
  const code = { dir: dirname(question.file), code: codeOf(question), secret };
  const [caged, env] =
    cage === undefined ? [line, process.env] : [loneLine(cage, line, code), loneEnvironment()];
  const key = JSON.stringify(caged);
  const fits = waiting !== undefined && waiting.key === key && isRunning(waiting.child);
  if (!fits) forget();
  const child = waiting?.child ?? begun(caged, env);
  waiting = undefined;
  (child.stdin as Writable).end(JSON.stringify({ ...question, isCaged: cage !== undefined }));
  return {
    child,
    answer: child.stdio[ANSWER_FD] as Readable,
    done: () => {
      if (keepers > 0) waiting ??= { child: begun(caged, env), key };
    },
  };
};
