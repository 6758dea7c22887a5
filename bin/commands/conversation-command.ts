import type { Command } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Conversations, type OpenConversation, openConversations } from '../../store/log-index/index.js';
import { whenAtLeast } from '../../store/lmdb/reached.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { withTargetOptions } from '../connect/connect.js';
import { findDataDir } from '../connect/data-dir.js';
import type { ExitCode } from '../output/exit.js';
import { type ReadAtLeastOptions, withAtLeastOptions } from '../options/at-least-option.js';
import { name, positive } from '../options/option-values.js';
import { asTyped } from '../output/typed-program.js';
import { print, printJson } from '../output/output.js';
import { fittedTable } from '../text/fitted-table.js';
import { pageLine } from '../text/page-text.js';
import { done, runCommand, withExamples } from '../output/run-command.js';
import type { TargetOptions } from '../../link/target.js';
import { faultThrown } from '../output/thrown-fault.js';

interface Options extends TargetOptions {
  readonly json?: boolean;
}

interface OneConversationOptions extends Options, ReadAtLeastOptions {}

interface ConversationOptions extends OneConversationOptions {
  readonly after?: number;
  readonly limit: number;
  readonly module?: string;
  readonly agent?: string;
}

/** Opens the index of a broker, reads it once it is at `--at-least`, and closes it in every case. */
const withConversations = (
  options: OneConversationOptions,
  read: (conversations: Conversations) => E.Either<Fault, ExitCode>,
): TE.TaskEither<Fault, ExitCode> =>
  pipe(
    findDataDir(options),
    TE.chain((dataDir) => async () => {
      const conversations = openConversations(dataDir);
      try {
        return await pipe(
          whenAtLeast(conversations, options.atLeast, { timeoutMs: options.timeout }),
          TE.chainEitherK(() => read(conversations)),
        )();
      } catch (thrown) {
        return E.left(faultThrown(thrown));
      } finally {
        await conversations.close();
      }
    }),
  );

/** The condition of `--at-least`. */
const RECORDS_READ = 'the broker has read all records';

const historyOf = (seq: number): string => `tallystick replay history --conversation ${seq}`;

const participantsOf = ({ participants, more }: OpenConversation): string =>
  `${participants.join(', ')}${more ? ', …' : ''}`;

const format = (conversation: OpenConversation): string => {
  const { conversation: seq, began, last, commands } = conversation;
  const facts: readonly (readonly [string, string])[] = [
    ['conversation', `${seq}, since ${began}`],
    ['last record', `${last.seq}, ${last.time}`],
    ['open', `${commands} ${commands === 1 ? 'command' : 'commands'}`],
    ['participants', participantsOf(conversation)],
    ['records', asTyped(historyOf(seq))],
  ];
  return facts.map(([fact, value]) => `${fact.padEnd(14)}${value}`).join('\n');
};

const get = (seq: number, options: OneConversationOptions): TE.TaskEither<Fault, ExitCode> =>
  withConversations(options, (conversations) => {
    const found = conversations.get(seq);
    if (found === undefined) {
      const text = `conversation ${seq} is not open; \`${historyOf(seq)}\` shows the records of one that has ended`;
      return E.left(fault('CONVERSATION_NOT_OPEN', text));
    }
    if (options.json === true) printJson(found);
    else print(format(found));
    return E.right(done);
  });

export const conversationTable = (conversations: readonly OpenConversation[], columns?: number): string =>
  fittedTable(
    ['CONVERSATION', 'BEGAN', 'LAST', 'TIME', 'OPEN', 'PARTICIPANTS'],
    conversations.map((each) => [
      `${each.conversation}`,
      each.began,
      `${each.last.seq}`,
      each.last.time,
      `${each.commands}`,
      participantsOf(each),
    ]),
    { keys: ['CONVERSATION', 'LAST'], spare: ['BEGAN'] },
    columns,
  );

const list = ({
  after,
  limit,
  module,
  agent,
  json,
  ...options
}: ConversationOptions): TE.TaskEither<Fault, ExitCode> =>
  withConversations(options, (conversations) => {
    const page = conversations.list({
      limit,
      ...(after === undefined ? {} : { after }),
      ...(module === undefined ? {} : { module }),
      ...(agent === undefined ? {} : { agent }),
    });
    const count = conversations.count();
    if (json === true) {
      printJson({ ...page, count });
      return E.right(done);
    }
    const line = pageLine({
      shown: page.conversations.length,
      count,
      what: 'open conversations',
      next: page.next,
    });
    print(`${conversationTable(page.conversations)}\n\n${line}`);
    return E.right(done);
  });

export const addConversation = (program: Command): void => {
  const group = program
    .command('conversation')
    .description('look at open conversations, which have commands without a result; works without a broker');
  withExamples(group, ['tallystick conversation list', 'tallystick conversation get 17']);

  const one = withAtLeastOptions(
    withTargetOptions(
      group
        .command('get')
        .argument('<seq>', 'sequence of its first record', positive('SEQ'))
        .description('print one open conversation: its participants and its open commands'),
    ),
    RECORDS_READ,
  ).action((seq: number, options: OneConversationOptions) => runCommand(get(seq, options)));
  withExamples(one, [
    'tallystick conversation get 17',
    'tallystick conversation get 17 --json | jq .commands',
  ]);

  const all = withAtLeastOptions(
    withTargetOptions(
      group.command('list').description('list open conversations, the oldest first, one page at a time'),
    ),
    RECORDS_READ,
  )
    .option(
      '--module <name>',
      'only those with this module or sender among the participants',
      name('--module'),
    )
    .option('--agent <id>', 'only those with this agent, of --module or of any module', name('--agent'))
    .option('--after <seq>', 'the last conversation of the previous page', positive('--after'))
    .option('--limit <count>', 'conversations on a page', positive('--limit'), 100)
    .action((options: ConversationOptions) => runCommand(list(options)));
  withExamples(all, [
    'tallystick conversation list',
    'tallystick conversation list --module orders --limit 1000',
    'tallystick conversation list --at-least 1200',
    "tallystick conversation list --json | jq '.conversations[].participants'",
  ]);
};
