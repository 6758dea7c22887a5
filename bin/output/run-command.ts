import type { Command } from 'commander';
import { type Either, isLeft, left } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { EXIT, type ExitCode, exitCodeOf } from './exit.js';
import { printError } from './output.js';
import { faultThrown } from './thrown-fault.js';
import { asTyped } from './typed-program.js';

/** Every command has `--json`. Errors follow it too, also those from before the options are parsed. */
export const wantsJson = (argv: readonly string[] = process.argv): boolean => {
  const end = argv.indexOf('--');
  return argv.slice(2, end === -1 ? undefined : end).includes('--json');
};

/** Runs a command to its exit code. Reports a fault on stderr, and also an unexpected throw. */
export const runCommand = async (work: TaskEither<Fault, ExitCode>): Promise<void> => {
  let result: Either<Fault, ExitCode>;
  try {
    result = await work();
  } catch (thrown) {
    result = left(faultThrown(thrown));
  }
  if (isLeft(result)) printError(result.left, wantsJson());
  process.exitCode = isLeft(result) ? exitCodeOf(result.left) : result.right;
};

/**
 * Returns the value, or throws USAGE or NAME_INVALID with the name of the option, which ends the command. For option
 * parsers of commander, which can only throw.
 */
export const orUsage = <T>(option: string, parsed: Either<Fault, T>): T => {
  if (isLeft(parsed)) throw new FaultError(fault(parsed.left.code, `${option}: ${parsed.left.message}`));
  return parsed.right;
};

const rootOf = (command: Command): Command => (command.parent === null ? command : rootOf(command.parent));

/** Examples in the help. They say `tallystick`, and the help shows the name that you type. */
export const withExamples = (command: Command, examples: readonly string[]): Command =>
  command.addHelpText('after', () => {
    const shown = examples.map((example) => `  $ ${asTyped(example, () => rootOf(command).name())}`);
    return `\nExamples:\n${shown.join('\n')}`;
  });

export const done = EXIT.done;
