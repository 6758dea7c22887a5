import type { Command } from 'commander';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Fault } from '../../schemas/errors.js';
import { OPS } from '../../schemas/operate.js';
import type { Schedule, ScheduleDetails } from '../../schemas/schedule.js';
import { withConnection, withTargetOptions } from '../connect.js';
import type { ExitCode } from '../exit.js';
import { formatTable, print, printJson } from '../output.js';
import { ask } from '../requests.js';
import { done, run, withExamples } from '../run.js';
import { when } from '../schedule-text.js';
import type { TargetOptions } from '../target.js';

interface Options extends TargetOptions {
  readonly json?: boolean;
}

/** Asks, and prints the reply as it came or as text. */
const show = <T>(
  options: Options,
  subject: string,
  body: Readonly<Record<string, unknown>>,
  format: (reply: T) => string,
): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) =>
    pipe(
      ask<T>(nc, subject, body),
      TE.map((reply) => {
        if (options.json === true) printJson(reply);
        else print(format(reply));
        return done;
      }),
    ),
  );

const address = ({ module, action, agent }: Schedule): string =>
  `${module}.${action}${agent === null ? '' : `.${agent}`}`;

const table = (schedules: readonly Schedule[]): string =>
  formatTable(
    ['ID', 'COMMAND', 'SENDER', 'WHEN', 'NEXT'],
    schedules.map((schedule) => [
      schedule.id,
      address(schedule),
      schedule.sender,
      when(schedule),
      schedule.next,
    ]),
  );

const details = ({ headers, data, ...schedule }: ScheduleDetails): string =>
  [
    table([schedule]),
    '',
    `created ${schedule.created}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    JSON.stringify(data, null, 2),
  ].join('\n');

export const addSchedule = (program: Command): void => {
  const group = program
    .command('schedule')
    .description('commands that are sent later; `call` with --at, --in, --every or --cron makes them');
  withExamples(group, [
    'tallystick call accounts.deposit \'{"amount":5}\' --agent alice --every 1h',
    'tallystick schedule list',
    'tallystick schedule cancel ID',
  ]);

  const list = withTargetOptions(group.command('list').description('all schedules')).action(
    (options: Options) =>
      run(
        show<{ schedules: Schedule[] }>(options, OPS.scheduleList, {}, ({ schedules }) => table(schedules)),
      ),
  );
  withExamples(list, ['tallystick schedule list', 'tallystick schedule list --json']);

  const one = withTargetOptions(
    group.command('show <id>').description('one schedule with what its commands hold'),
  ).action((id: string, options: Options) => run(show(options, OPS.scheduleShow, { id }, details)));
  withExamples(one, ['tallystick schedule show ID', 'tallystick schedule show ID --json']);

  const cancel = withTargetOptions(
    group.command('cancel <id>').description('end a schedule; what it has fired is handled'),
  ).action((id: string, options: Options) =>
    run(show(options, OPS.scheduleCancel, { id }, () => `${id} cancelled`)),
  );
  withExamples(cancel, ['tallystick schedule cancel ID', 'tallystick schedule cancel ID --json']);
};
