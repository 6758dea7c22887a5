import type { Command } from 'commander';
import { isLeft, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Fault } from '../../schemas/errors.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { awaitResult } from '../jobs/typed-call.js';
import { positive, waiting, withDefault } from '../options/option-values.js';
import type { ExitCode } from '../output/exit.js';
import { printResult } from '../output/print-result.js';
import { runCommand, withExamples } from '../output/run-command.js';
import type { TargetOptions } from '../../link/target.js';

interface Options extends TargetOptions {
  readonly json?: boolean;
  /** How long to wait, milliseconds. */
  readonly timeout: number;
}

const result = (command: number, options: Options): TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) => async () => {
    const replied = await awaitResult(nc, command, options.timeout);
    return isLeft(replied) ? replied : right(printResult(replied.right, options.json === true));
  });

export const addResult = (program: Command): void => {
  const command = withTargetOptions(
    program
      .command('result')
      .argument('<seq>', 'sequence of the command', positive('SEQ'))
      .description('print the result of a command that you sent before; wait until it has one')
      .addOption(
        withDefault('--timeout <duration>', 'how long to wait for the result', waiting('--timeout'), '30s'),
      ),
  ).action((seq: number, options: Options) => runCommand(result(seq, options)));
  withExamples(command, ['tallystick result 17', 'tallystick result 17 --timeout 5m --json']);
};
