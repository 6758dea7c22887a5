import type { Command } from 'commander';
import { type Either, isLeft, left } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { EXIT, type ExitCode, exitCodeOf } from './exit.js';
import { printError } from './output.js';
import { thrownFault } from './thrown-fault.js';

/** Every command has it; errors take its shape too, also those from before the options are parsed. */
export const wantsJson = (argv: readonly string[] = process.argv): boolean => {
  const end = argv.indexOf('--');
  return argv.slice(2, end === -1 ? undefined : end).includes('--json');
};

/** Runs a command to its exit code. A fault is told on stderr; so is what should not have been thrown. */
export const run = async (work: TaskEither<Fault, ExitCode>): Promise<void> => {
  let result: Either<Fault, ExitCode>;
  try {
    result = await work();
  } catch (thrown) {
    result = left(thrownFault(thrown));
  }
  if (isLeft(result)) printError(result.left, wantsJson());
  process.exitCode = isLeft(result) ? exitCodeOf(result.left) : result.right;
};

/**
 * The value, or a throw that ends the command with what is wrong, USAGE or NAME_INVALID, and with which option. For option
 * parsers of commander, which can only throw.
 */
export const orUsage = <T>(option: string, parsed: Either<Fault, T>): T => {
  if (isLeft(parsed)) throw new FaultError(fault(parsed.left.code, `${option}: ${parsed.left.message}`));
  return parsed.right;
};

export const withExamples = (command: Command, examples: readonly string[]): Command =>
  command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);

export const done = EXIT.done;
