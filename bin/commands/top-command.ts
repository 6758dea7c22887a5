import type { Command } from 'commander';
import { isLeft, right } from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import type { Fault } from '../../schemas/errors.js';
import { type BrokerStatus, OPS } from '../../schemas/operate.js';
import { ask } from '../../link/request-broker.js';
import { pause } from '../../system/async/pause.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { duration, positive, withDefault } from '../options/option-values.js';
import type { ExitCode } from '../output/exit.js';
import { printLine } from '../output/output.js';
import { done, runCommand, withExamples } from '../output/run-command.js';
import { accountsTable } from '../text/account-table.js';
import type { ShowOptions } from '../text/show-reply.js';

interface Options extends ShowOptions {
  readonly every: number;
  readonly times?: number;
}

/** Clears the screen: each table stands where the last one stood. */
const CLEAR = '\u001b[H\u001b[2J';

const jsonOf = ({ accounts = [], accountsLeftOut = 0, log: { bytes, maxBytes } }: BrokerStatus): string =>
  JSON.stringify({
    time: new Date().toISOString(),
    log: { bytes, maxBytes },
    accounts,
    accountsLeftOut,
  });

const textOf = (status: BrokerStatus): string => {
  const clear = process.stdout.isTTY ? CLEAR : '';
  const table = accountsTable(status);
  return `${clear}${table.length === 0 ? 'this broker is of an older version, which does not tell' : table.join('\n')}`;
};

const top = (options: Options): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) => async () => {
    const { every, times = Number.POSITIVE_INFINITY, json } = options;
    for (let looked = 0; ; ) {
      const status = await ask<BrokerStatus>(nc, OPS.status)();
      if (isLeft(status)) return status;
      await printLine(json === true ? jsonOf(status.right) : textOf(status.right));
      looked += 1;
      if (looked >= times) return right(done);
      await pause(every);
    }
  });

export const addTop = (program: Command): void => {
  const command = withTargetOptions(
    program
      .command('top')
      .description('print who uses how much of the broker, again and again, until you press Ctrl-C'),
  )
    .addOption(withDefault('--every <duration>', 'time between two looks', duration('--every'), '2s'))
    .option('--times <count>', 'end after so many looks', positive('--times'))
    .action((options: Options) => runCommand(top(options)));
  withExamples(command, ['tallystick top', 'tallystick top --every 10s', 'tallystick top --times 1 --json']);
};
