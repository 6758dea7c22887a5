import type { Command } from 'commander';
import { OPS } from '../../schemas/operate.js';
import type { Schedule, ScheduleDetails } from '../../schemas/schedule.js';
import { withTargetOptions } from '../connect.js';
import { formatTable } from '../output.js';
import { run, withExamples } from '../run.js';
import { type ShowOptions, showReply } from '../show-reply.js';
import { when } from '../schedule-text.js';

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
    (options: ShowOptions) =>
      run(
        showReply<{ schedules: Schedule[] }>(options, OPS.scheduleList, {}, ({ schedules }) =>
          table(schedules),
        ),
      ),
  );
  withExamples(list, ['tallystick schedule list', 'tallystick schedule list --json']);

  const one = withTargetOptions(
    group.command('show <id>').description('one schedule with what its commands hold'),
  ).action((id: string, options: ShowOptions) => run(showReply(options, OPS.scheduleShow, { id }, details)));
  withExamples(one, ['tallystick schedule show ID', 'tallystick schedule show ID --json']);

  const cancel = withTargetOptions(
    group.command('cancel <id>').description('end a schedule; what it has fired is handled'),
  ).action((id: string, options: ShowOptions) =>
    run(showReply(options, OPS.scheduleCancel, { id }, () => `${id} cancelled`)),
  );
  withExamples(cancel, ['tallystick schedule cancel ID', 'tallystick schedule cancel ID --json']);
};
