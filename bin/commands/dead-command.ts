import type { Command } from 'commander';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { recordsAt } from '../../journal/read/records-at.js';
import type { DeadDetails, DeadPage, DeadSummary } from '../../schemas/dead.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { OPS } from '../../schemas/operate.js';
import { Payload } from '../../schemas/payload.js';
import { asTyped } from '../output/typed-program.js';
import { printable } from '../../text/printable.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { askMasks, type RevealOptions, withReveal } from '../connect/known-masks.js';
import type { ExitCode } from '../output/exit.js';
import { name, positive, waiting, withDefault } from '../options/option-values.js';
import { print, printLine } from '../output/output.js';
import { fittedTable } from '../text/fitted-table.js';
import { type RedriveRequest, redrive } from '../jobs/redrive.js';
import { ask } from '../../link/request-broker.js';
import { done, runCommand, withExamples } from '../output/run-command.js';
import { deadLine } from '../../schemas/detail-lines.js';
import type { TargetOptions } from '../../link/target.js';

interface Options extends TargetOptions, RevealOptions {
  readonly json?: boolean;
  readonly module?: string;
  readonly limit?: number;
}

interface RedriveOptions extends Options, Pick<RedriveRequest, 'again' | 'wait' | 'timeout'> {
  readonly all?: boolean;
}

/** Every dead letter, the oldest first. */
export const deadLetters = async function* (
  nc: NatsConnection,
  module: string | undefined,
): AsyncGenerator<Either<Fault, readonly DeadSummary[]>, void, void> {
  for (let from: number | null = 1; from !== null; ) {
    const page: Either<Fault, DeadPage> = await ask<DeadPage>(nc, OPS.deadList, {
      from,
      ...(module === undefined ? {} : { module }),
    })();
    if (isLeft(page)) return yield page;
    yield right(page.right.letters);
    from = page.right.next;
  }
};

const addressOf = ({ module, action, agent }: Pick<DeadDetails, 'module' | 'action' | 'agent'>): string =>
  [module, action, ...(agent === null ? [] : [agent])].join('.');

export const deadTable = (letters: readonly DeadSummary[], columns?: number): string =>
  fittedTable(
    ['COMMAND', 'TIME', 'ADDRESS', 'SENDER', 'TRIES', 'ERROR', 'REDRIVEN AS'],
    letters.map((letter) => [
      `${letter.command}`,
      letter.time,
      addressOf(letter),
      letter.sender,
      `${letter.attempts}`,
      letter.error.code,
      letter.redriven.join(', '),
    ]),
    { keys: ['COMMAND', 'ADDRESS', 'ERROR'], spare: ['TRIES', 'SENDER', 'TIME'] },
    columns,
  );

const list = ({ module, limit, ...options }: Options): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) => async () => {
    let letters: DeadSummary[] = [];
    for await (const page of deadLetters(nc, module)) {
      if (isLeft(page)) return page;
      if (options.json === true && limit === undefined) {
        for (const letter of page.right) await printLine(JSON.stringify(letter));
        continue;
      }
      letters = [...letters, ...page.right].slice(limit === undefined ? 0 : -limit);
    }
    if (options.json !== true) print(deadTable(letters));
    else for (const letter of letters) await printLine(JSON.stringify(letter));
    return right(done);
  });

const formatLetter = ({ redriven, stack, ...letter }: DeadDetails, payload: Payload): string => {
  const { error } = letter;
  const place = error.path === undefined ? '' : ` (${error.path})`;
  const facts: readonly (readonly [string, string])[] = [
    ['command', `${letter.command}, ${addressOf(letter)}, sent by ${letter.sender}`],
    [
      'given up',
      `${letter.time}, result ${letter.result}, after ${letter.attempts === 1 ? '1 try' : `${letter.attempts} tries`}`,
    ],
    ['error', `${error.code}: ${error.message}${place}`],
    ['conversation', asTyped(`tallystick replay history --conversation ${letter.conversation}`)],
    ...(letter.redrives === null ? [] : [['redrives', `dead letter ${letter.redrives}`] as const]),
    ...redriven.map(
      ({ command, status, code }) =>
        ['redriven', `as command ${command}: ${status}${code === undefined ? '' : ` ${code}`}`] as const,
    ),
  ];
  const lines = facts.map(([name, value]) => `${name.padEnd(14)}${printable(value)}`);
  const where = stack === undefined ? [] : ['stack', ...stack.split('\n').map((line) => `  ${line}`)];
  return [...lines, ...where, 'payload', payload.shown(true)].join('\n');
};

const show = (seq: number, options: Options): TE.TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) =>
    pipe(
      TE.Do,
      TE.bind('answer', () => ask<{ letter: DeadDetails }>(nc, OPS.deadShow, { seq })),
      // The letter has a part of a large payload. The log has all of it.
      TE.bind('command', ({ answer }) => recordsAt({ nc, prefix: '$JS.API' }, [answer.letter.command])),
      TE.bind('masks', () => askMasks(nc, options, `dead show ${seq}`)),
      TE.map(({ answer: { letter }, command: [command], masks }) => {
        const payload = new Payload(
          command === undefined ? new Uint8Array(0) : masks.bytes(command.subject, command.data),
        );
        print(options.json === true ? deadLine(letter, payload) : formatLetter(letter, payload));
        return done;
      }),
    ),
  );

/** The letters that the arguments select: the named ones, or all that have not been redriven yet. */
const chosen = async (
  nc: NatsConnection,
  named: readonly number[],
  { module, again }: RedriveOptions,
): Promise<Either<Fault, readonly number[]>> => {
  if (named.length > 0) return right([...new Set(named)]);
  const letters: number[] = [];
  for await (const page of deadLetters(nc, module)) {
    if (isLeft(page)) return page;
    for (const { command, redriven } of page.right) {
      if (again === true || redriven.length === 0) letters.push(command);
    }
  }
  return right(letters);
};

const redriveLetters = (
  named: readonly number[],
  options: RedriveOptions,
): TE.TaskEither<Fault, ExitCode> => {
  const { all, module } = options;
  if (all === true ? named.length > 0 : named.length === 0) {
    return TE.left(fault('USAGE', 'name the dead letters by the sequences of their commands, or give --all'));
  }
  if (all !== true && module !== undefined) return TE.left(fault('USAGE', '--module goes with --all'));
  return withConnection(options, (nc) => async () => {
    const letters = await chosen(nc, named, options);
    return isLeft(letters) ? letters : redrive(nc, letters.right, options)();
  });
};

const sequences = (text: string, before: readonly number[] = []): readonly number[] => [
  ...before,
  positive('SEQ')(text),
];
const moduleName = name('--module');

export const addDead = (program: Command): void => {
  const group = program
    .command('dead')
    .description('look at commands that a module could not handle, and send them again');
  withExamples(group, [
    'tallystick dead list',
    'tallystick dead show 17',
    'tallystick dead redrive 17 --wait',
  ]);

  const listed = withTargetOptions(group.command('list').description('list dead letters, the oldest first'))
    .option('--module <name>', 'only of this module', moduleName)
    .option('--limit <count>', 'only the newest of them', positive('--limit'))
    .action((options: Options) => runCommand(list(options)));
  withExamples(listed, ['tallystick dead list', 'tallystick dead list --module orders --limit 20 --json']);

  const shown = withReveal(
    withTargetOptions(
      group
        .command('show')
        .argument('<seq>', 'sequence of the command', positive('SEQ'))
        .description('print all of one dead letter, with its payload and its redrives'),
    ),
  ).action((seq: number, options: Options) => runCommand(show(seq, options)));
  withExamples(shown, ['tallystick dead show 17', 'tallystick dead show 17 --json']);

  const redriven = withTargetOptions(
    group
      .command('redrive')
      .argument('[seq...]', 'sequences of the commands', sequences)
      .description(
        'store the commands of dead letters again, with the same sender, payload and conversation, without a deadline',
      ),
  )
    .option('--all', 'all that have not been redriven yet')
    .option('--module <name>', 'with --all: only of this module', moduleName)
    .option('--again', 'also letters that have been redriven before')
    .option('--wait', 'wait for the results and print them')
    .addOption(
      withDefault('--timeout <duration>', 'with --wait: how long to wait', waiting('--timeout'), '30s'),
    )
    .action((seqs: readonly number[] | undefined, options: RedriveOptions) =>
      runCommand(redriveLetters(seqs ?? [], options)),
    );
  withExamples(redriven, [
    'tallystick dead redrive 17 --wait',
    'tallystick dead redrive 17 18 --again',
    'tallystick dead redrive --all --module orders --json',
  ]);
};
