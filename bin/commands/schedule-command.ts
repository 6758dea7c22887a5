import type { Command } from 'commander';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import type { Fault } from '../../schemas/errors.js';
import { layOut } from '../../schemas/json-layout.js';
import { OPS } from '../../schemas/operate.js';
import { printable } from '../../text/printable.js';
import type { Schedule, ScheduleDetails, SchedulePage } from '../../schemas/schedule.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { askMasks, type RevealOptions, withReveal } from '../connect/known-masks.js';
import type { ExitCode } from '../output/exit.js';
import { print, printJson } from '../output/output.js';
import { fittedTable } from '../text/fitted-table.js';
import { ask } from '../../link/request-broker.js';
import { done, runCommand, withExamples } from '../output/run-command.js';
import { type ShowOptions, showReply } from '../text/show-reply.js';
import { maskedSchedule, scheduleLine } from '../../schemas/detail-lines.js';
import { when } from '../text/schedule-text.js';

const address = ({ module, action, agent }: Schedule): string =>
  `${module}.${action}${agent === null ? '' : `.${agent}`}`;

export const scheduleTable = (schedules: readonly Schedule[], columns?: number): string =>
  fittedTable(
    ['ID', 'COMMAND', 'SENDER', 'WHEN', 'NEXT'],
    schedules.map((schedule) => [
      schedule.id,
      address(schedule),
      schedule.sender,
      when(schedule),
      schedule.next,
    ]),
    { keys: ['ID', 'COMMAND'], spare: ['SENDER'] },
    columns,
  );

const payloadText = ({ form, payload, dataBytes }: ScheduleDetails): string => {
  if (payload === null) return `a payload of ${dataBytes} bytes`;
  switch (form) {
    case 'json':
      return layOut(payload, true);
    case 'empty':
      return '(empty)';
    default:
      return `(${form}) ${payload}`;
  }
};

const details = (schedule: ScheduleDetails): string =>
  [
    scheduleTable([schedule]),
    '',
    `created ${schedule.created}`,
    ...Object.entries(schedule.headers).map(([name, value]) => printable(`${name}: ${value}`)),
    payloadText(schedule),
  ].join('\n');

const show = (id: string, options: ShowOptions & RevealOptions): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) =>
    pipe(
      TE.Do,
      TE.bind('whole', () => ask<ScheduleDetails>(nc, OPS.scheduleShow, { id })),
      TE.bind('masks', () => askMasks(nc, options, `schedule show ${id}`)),
      TE.map(({ whole, masks }) => {
        const found = maskedSchedule(masks, whole);
        print(options.json === true ? scheduleLine(found) : details(found));
        return done;
      }),
    ),
  );

/** Every schedule, page by page: one reply cannot hold 10,000 of them. */
const allSchedules =
  (nc: NatsConnection): TE.TaskEither<Fault, readonly Schedule[]> =>
  async () => {
    const all: Schedule[] = [];
    for (let from: number | null = 1; from !== null; ) {
      const page: Either<Fault, SchedulePage> = await ask<SchedulePage>(nc, OPS.scheduleList, { from })();
      if (isLeft(page)) return page;
      all.push(...page.right.schedules);
      from = page.right.next;
    }
    return right(all);
  };

const showAll = (options: ShowOptions): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) =>
    pipe(
      allSchedules(nc),
      TE.map((schedules) => {
        if (options.json === true) printJson({ schedules });
        else print(scheduleTable(schedules));
        return done;
      }),
    ),
  );

export const addSchedule = (program: Command): void => {
  const group = program
    .command('schedule')
    .description('look at schedules and cancel them; `call` with --at, --in, --every or --cron makes them');
  withExamples(group, [
    'tallystick call accounts.deposit \'{"amount":5}\' --agent alice --every 1h',
    'tallystick schedule list',
    'tallystick schedule cancel ID',
  ]);

  const list = withTargetOptions(group.command('list').description('all schedules')).action(
    (options: ShowOptions) => runCommand(showAll(options)),
  );
  withExamples(list, ['tallystick schedule list', 'tallystick schedule list --json']);

  const one = withReveal(
    withTargetOptions(
      group
        .command('show')
        .argument('<id>', 'id of the schedule, as `schedule list` prints it')
        .description('print one schedule with the payload and headers of its commands'),
    ),
  ).action((id: string, options: ShowOptions & RevealOptions) => runCommand(show(id, options)));
  withExamples(one, ['tallystick schedule show ID', 'tallystick schedule show ID --json']);

  const cancel = withTargetOptions(
    group
      .command('cancel')
      .argument('<id>', 'id of the schedule, as `schedule list` prints it')
      .description('end a schedule; commands that it has sent are still handled'),
  ).action((id: string, options: ShowOptions) =>
    runCommand(showReply(options, OPS.scheduleCancel, { id }, () => `${id} cancelled`)),
  );
  withExamples(cancel, ['tallystick schedule cancel ID', 'tallystick schedule cancel ID --json']);
};
