import type { Command } from 'commander';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Fault } from '../../schemas/errors.js';
import type { Restarted } from '../../schemas/restart.js';
import type { TargetOptions } from '../../link/target.js';
import { printable } from '../../text/printable.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { askToRestart } from '../jobs/typed-call.js';
import { positive, waiting, withDefault } from '../options/option-values.js';
import { EXIT, type ExitCode } from '../output/exit.js';
import { print } from '../output/output.js';
import { printResult } from '../output/print-result.js';
import { runCommand, withExamples } from '../output/run-command.js';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly from: string;
  /** How long to wait for the reply, milliseconds. */
  readonly timeout: number;
}

/** Operations that are not kept are named up to here. */
const SHOWN = 10;

const textOf = ({ command, newCommand, from, already, kept, left }: Restarted): string => {
  const was = already ? 'was restarted before' : 'is restarted';
  const keeps = kept === 0 ? 'keeps nothing' : `keeps ${kept} operation${kept === 1 ? '' : 's'}`;
  const shown = left.slice(0, SHOWN).map(({ n, what }) => `${n} ${printable(what)}`);
  const more = left.length > SHOWN ? ', …' : '';
  const rest = shown.length === 0 ? '' : `; not kept: ${shown.join(', ')}${more}`;
  return `command ${command} ${was} as command ${newCommand}, which ${keeps} and acts from ${from}${rest}`;
};

/** A number stands for itself: a step whose name is a number is named by its number. */
const fromIn = (text: string): number | string => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : text);

const restart = (command: number, options: Options): TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) => async (): Promise<Either<Fault, ExitCode>> => {
    const replied = await askToRestart(nc, command, fromIn(options.from), options.timeout);
    if (isLeft(replied)) return replied;
    const { result } = replied.right;
    if (options.json === true || result.status !== 'ok')
      return right(printResult(replied.right, options.json === true));
    print(textOf(result.data as Restarted));
    return right(EXIT.done);
  });

export const addRestart = (program: Command): void => {
  const command = withTargetOptions(
    program
      .command('restart')
      .argument('<seq>', 'sequence of the command that failed or was cancelled', positive('SEQ'))
      .description('run a failed or cancelled command again, and keep what its handler did before a step')
      .requiredOption(
        '--from <step>',
        'where it begins to act: number or name of a call, step or wait; 1 keeps nothing',
      )
      .addOption(
        withDefault('--timeout <duration>', 'how long to wait for the reply', waiting('--timeout'), '30s'),
      ),
  ).action((seq: number, options: Options) => runCommand(restart(seq, options)));
  withExamples(command, ['tallystick restart 17 --from charge', 'tallystick restart 17 --from 3 --json']);
};
