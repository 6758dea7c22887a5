import type { Command } from 'commander';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { requestSubscription, requestSubscriptions } from '../../link/request-subscription.js';
import type { TargetOptions } from '../../link/target.js';
import type { Fault } from '../../schemas/errors.js';
import type { ListedSubscription } from '../../schemas/subscription.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { name } from '../options/option-values.js';
import type { ExitCode } from '../output/exit.js';
import { print, printJson } from '../output/output.js';
import { done, orUsage, runCommand, withExamples } from '../output/run-command.js';
import { fittedTable } from '../text/fitted-table.js';
import { parseName } from '../../schemas/names.js';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly account?: string;
}

const subscriptionTable = (all: readonly ListedSubscription[]): string =>
  fittedTable(
    ['NAME', 'ACCOUNT', 'EVENTS', 'AGENT', 'POSITION', 'LAG'],
    all.map(({ name: text, account, events, agent, position, lag }) => [
      text,
      account,
      events.join(' '),
      agent ?? '',
      String(position),
      lag === null ? 'lost' : String(lag),
    ]),
    { keys: ['NAME', 'ACCOUNT'], spare: ['AGENT'] },
  );

const list = (options: Options): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) =>
    pipe(
      requestSubscriptions(nc),
      TE.map((found) => {
        if (options.json === true) printJson(found);
        else print(subscriptionTable(found.subscriptions));
        return done;
      }),
    ),
  );

const remove = (subscription: string, options: Options): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) =>
    pipe(
      requestSubscription<object>(nc, {
        verb: 'delete',
        name: subscription,
        body: options.account === undefined ? {} : { account: options.account },
      }),
      TE.map((deleted) => {
        if (options.json === true) printJson(deleted);
        else print(`subscription ${subscription} is deleted`);
        return done;
      }),
    ),
  );

export const addSubscription = (program: Command): void => {
  const group = program.command('subscription').description('list and delete subscriptions');
  const listing = withTargetOptions(
    group.command('list').description('list subscriptions with their positions and their lag in events'),
  ).action((options: Options) => runCommand(list(options)));
  withExamples(listing, ['tallystick subscription list', 'tallystick subscription list --json']);
  const deleting = withTargetOptions(
    group
      .command('delete')
      .argument('<name>', 'the name of the subscription', (text: string) =>
        orUsage('NAME', parseName('the name', text)),
      )
      .description('delete a subscription; the broker forgets its position')
      .option('--account <name>', 'whose subscription it is (default: yours)', name('--account')),
  ).action((subscription: string, options: Options) => runCommand(remove(subscription, options)));
  withExamples(deleting, [
    'tallystick subscription delete mailer',
    'tallystick subscription delete mailer --account _ci',
  ]);
  withExamples(group, ['tallystick subscription list']);
};
