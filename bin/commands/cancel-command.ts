import type { Command } from 'commander';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Cancelled } from '../../schemas/cancel.js';
import type { Fault } from '../../schemas/errors.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { askToCancel } from '../jobs/typed-call.js';
import { positive, waiting, withDefault } from '../options/option-values.js';
import { EXIT, type ExitCode } from '../output/exit.js';
import { print } from '../output/output.js';
import { printResult } from '../output/print-result.js';
import { runCommand, withExamples } from '../output/run-command.js';
import type { TargetOptions } from '../../link/target.js';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly children?: boolean;
  /** How long to wait for the reply, milliseconds. */
  readonly timeout: number;
}

const textOf = ({ command, cancel, already, children }: Cancelled): string => {
  const was = already ? 'was cancelled before' : 'is cancelled';
  const below = children.length === 0 ? '' : `; before it: ${children.join(', ')}`;
  return `command ${command} ${was}, by record ${cancel}${below}`;
};

const cancel = (command: number, options: Options): TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) => async (): Promise<Either<Fault, ExitCode>> => {
    const replied = await askToCancel(nc, command, options.children === true, options.timeout);
    if (isLeft(replied)) return replied;
    const { result } = replied.right;
    if (options.json === true || result.status !== 'ok')
      return right(printResult(replied.right, options.json === true));
    print(textOf(result.data as Cancelled));
    return right(EXIT.done);
  });

export const addCancel = (program: Command): void => {
  const command = withTargetOptions(
    program
      .command('cancel')
      .argument('<seq>', 'sequence of the command', positive('SEQ'))
      .description(
        'cancel a command: one that waits does not run, and a handler stops at its next call or step',
      )
      .option('--children', 'cancel the calls of its handler first', false)
      .addOption(
        withDefault('--timeout <duration>', 'how long to wait for the reply', waiting('--timeout'), '30s'),
      ),
  ).action((seq: number, options: Options) => runCommand(cancel(seq, options)));
  withExamples(command, ['tallystick cancel 17', 'tallystick cancel 17 --children --json']);
};
