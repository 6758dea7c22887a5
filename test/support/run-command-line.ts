import { fitsThread, hasDirectory, runInThread } from './command-threads.js';
import { tallystickPath } from './program-paths.js';
import { type ProgramOptions, type ProgramResult, runProgram } from './run-program.js';

/**
 * Runs the command line to its end, in a separate process: for tests of what only a process has. Others have
 * {@link runCommand}.
 */
export const runCommandProcess = (
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> => runProgram(process.execPath, [tallystickPath(), ...args], options);

/** Runs the command line to its end: in a thread if the command prints there what it prints in a process. */
export const runCommand = (args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> =>
  fitsThread(tallystickPath(), args, options) && hasDirectory(options.cwd ?? process.cwd())
    ? runInThread(args, options)
    : runCommandProcess(args, options);
