import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** The file descriptor that the answer comes by. What the module prints goes to stderr. */
export const ANSWER_FD = 3;

const PROGRAM = join(import.meta.dirname, 'describe-main.js');
const STDERR = 2;

/** A process that has loaded its own files, and waits for the question which module it is to describe. */
const begun = (): ChildProcess => {
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', STDERR, STDERR, 'pipe'] });
  // One that has ended says so by its end.
  child.stdin?.on('error', () => undefined);
  child.on('error', () => undefined);
  return child;
};

const isRunning = ({ pid, exitCode, signalCode }: ChildProcess): boolean =>
  pid !== undefined && exitCode === null && signalCode === null;

/** How many callers want one to wait between two modules, and the one that waits. */
let keepers = 0;
let waiting: ChildProcess | undefined;

const forget = (): void => {
  waiting?.kill('SIGKILL');
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

/** Asks a process about a module: one that waits, or a new one. */
export const askDescriber = (question: readonly string[]): Describer => {
  const child = waiting !== undefined && isRunning(waiting) ? waiting : begun();
  if (child === waiting) waiting = undefined;
  (child.stdin as Writable).end(JSON.stringify(question));
  return {
    child,
    answer: child.stdio[ANSWER_FD] as Readable,
    done: () => {
      if (keepers > 0) waiting ??= begun();
    },
  };
};
