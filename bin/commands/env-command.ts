import { resolve } from 'node:path';
import type { Command } from 'commander';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { DEFAULT_DATA_DIR } from '../../schemas/config.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { ExitCode } from '../output/exit.js';
import { print, printJson, verbatim } from '../output/output.js';
import { done, run, withExamples } from '../output/run-command.js';
import { findTarget } from '../connect/target.js';
import { shellQuote } from '../text/shell-quote.js';

interface Options {
  readonly data?: string;
  readonly json?: boolean;
}

/** Variables that the stock `nats` command line (tried with 0.4.0) lets win over NATS_NKEY, or fails on beside it. */
const IN_THE_WAY = ['NATS_USER', 'NATS_PASSWORD', 'NATS_CREDS', 'NATS_CONTEXT'] as const;

const env =
  ({ data, json }: Options): TaskEither<Fault, ExitCode> =>
  async () => {
    // The data directory and nothing else: what the shell says already is what this is to replace.
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
      'print shell commands that point the stock `nats` command line, and this one, at the broker as operator',
    )
    .option('--data <dir>', `data directory of the broker (default: ./${DEFAULT_DATA_DIR})`)
    .option('--json', 'print JSON')
    .action((options: Options) => run(env(options)));
  withExamples(command, [
    'eval "$(tallystick env)"',
    "nats sub --stream LOG 'evt.accounts.>'",
    'tallystick env --json',
  ]);
  command.addHelpText(
    'after',
    '\nA context chosen by `nats context select` wins over these variables where it names a user: `nats context unselect`.',
  );
};
