import { resolve } from 'node:path';
import type { Command } from 'commander';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { DEFAULT_DATA_DIR } from '../../schemas/config.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { ExitCode } from '../output/exit.js';
import { print, printJson, verbatim } from '../output/output.js';
import { done, runCommand, withExamples } from '../output/run-command.js';
import { findTarget } from '../../link/target.js';
import { shellQuote } from '../text/shell-quote.js';

interface Options {
  readonly data?: string;
  readonly json?: boolean;
}

/** Variables that override NATS_NKEY in the stock `nats` command line (tried with 0.4.0), or make it fail. */
const IN_THE_WAY = ['NATS_USER', 'NATS_PASSWORD', 'NATS_CREDS', 'NATS_CONTEXT'] as const;

const env =
  ({ data, json }: Options): TaskEither<Fault, ExitCode> =>
  async () => {
    // Only the data directory counts: these variables replace those of the shell.
    const target = findTarget({ data: data ?? DEFAULT_DATA_DIR }, {});
    if (isLeft(target)) return target;
    const { url, credential } = target.right;
    if (credential.kind !== 'file') return left(fault('INTERNAL', 'the data directory names no credential'));
    const values = { NATS_URL: url, NATS_NKEY: resolve(credential.path) };
    if (json === true) printJson(values);
    else {
      print(`unset ${IN_THE_WAY.join(' ')}`);
      for (const [name, value] of Object.entries(values))
        print(verbatim(`export ${name}=${shellQuote(value)}`));
    }
    return right(done);
  };

export const addEnv = (program: Command): void => {
  const command = program
    .command('env')
    .description(
      'print shell commands that connect the stock `nats` command line, and this one, to the broker as operator',
    )
    .option('--data <dir>', `data directory of the broker (default: ./${DEFAULT_DATA_DIR})`)
    .option('--json', 'print JSON')
    .action((options: Options) => runCommand(env(options)));
  withExamples(command, [
    'eval "$(tallystick env)"',
    "nats sub --stream LOG 'evt.accounts.>'",
    'tallystick env --json',
  ]);
  command.addHelpText(
    'after',
    '\nA context of `nats context select` that names a user overrides these variables: `nats context unselect`.',
  );
};
