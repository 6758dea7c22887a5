import type { Command } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { TargetOptions } from '../../link/target.js';
import { listWaits } from '../../replay/list-waits.js';
import type { Sleeping } from '../../schemas/sleeping.js';
import { parseWaitAfter } from '../../store/log-index/open-waits-read.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { name, positive } from '../options/option-values.js';
import type { ExitCode } from '../output/exit.js';
import { print, printJson } from '../output/output.js';
import { done, runCommand, withExamples } from '../output/run-command.js';
import { fittedTable } from '../text/fitted-table.js';
import { pageLine } from '../text/page-text.js';
import type { Fault } from '../../schemas/errors.js';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly module?: string;
  readonly after?: string;
  readonly limit: number;
}

const addressOf = ({ module, action, agent }: Sleeping): string =>
  [module, action, ...(agent === null ? [] : [agent])].join('.');

const whatFor = ({ waitsFor, signal }: Sleeping): string =>
  signal === null ? waitsFor : `${waitsFor} ${signal}`;

export const waitTable = (waits: readonly Sleeping[], columns?: number): string =>
  fittedTable(
    ['COMMAND', 'ADDRESS', 'SENDER', 'WAITS FOR', 'SINCE', 'UNTIL'],
    waits.map((wait) => [
      `${wait.command}`,
      addressOf(wait),
      wait.sender,
      whatFor(wait),
      wait.since,
      wait.until ?? 'never',
    ]),
    { keys: ['COMMAND', 'ADDRESS', 'WAITS FOR'], spare: ['SENDER', 'SINCE'] },
    columns,
  );

const list = ({ module, after, limit, json, ...options }: Options): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) =>
    pipe(
      TE.fromEither<Fault, string | undefined>(
        after === undefined ? E.right(undefined) : parseWaitAfter(after),
      ),
      TE.chain((checked) => listWaits(nc, { module, after: checked, limit })),
      TE.map((page) => {
        if (json === true) printJson(page);
        else {
          const { waits, count, next } = page;
          const line = pageLine({ shown: waits.length, count, what: 'waits', next });
          print(`${waitTable(waits)}\n\n${line}`);
        }
        return done;
      }),
    ),
  );

export const addWait = (program: Command): void => {
  const group = program
    .command('wait')
    .description('look at handlers that sleep, or wait for a signal or a promise');
  withExamples(group, ['tallystick wait list']);
  const all = withTargetOptions(
    group
      .command('list')
      .description('list handlers that wait, those that are due first, one page at a time'),
  )
    .option('--module <name>', 'only those of this module', name('--module'))
    .option('--after <place>', 'where the previous page ended')
    .option('--limit <count>', 'waits on a page', positive('--limit'), 100)
    .action((options: Options) => runCommand(list(options)));
  withExamples(all, [
    'tallystick wait list',
    'tallystick wait list --module orders --limit 1000',
    "tallystick wait list --json | jq '.waits[].signal'",
  ]);
};
