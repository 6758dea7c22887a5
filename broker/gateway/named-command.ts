import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { recordsAt } from '../../journal/read/records-at.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseSequence } from '../../schemas/identity.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { CommandSubject } from '../../schemas/subjects.js';
import type { LogIndex } from '../index/log-index.js';
import { findAsked, type ResultQuestion } from './asked-command.js';

/** What looks a command up for who asks about it. */
export interface CommandLookup {
  readonly nc: NatsConnection;
  readonly index: Pick<LogIndex, 'reachedWithin'>;
  /** Whether an account may change the commands of all others. */
  readonly keepsAll: (account: string) => boolean;
}

/** A command at a place of the log, with its record. */
export interface NamedCommand {
  readonly record: StoredMessage;
  readonly subject: CommandSubject;
}

/** The index reads the same log, so it is at most this far behind. */
const INDEX_WAIT_MS = 20_000;

/** The sequence of a command in a request. */
export const commandIn = (subject: string): E.Either<Fault, number> => {
  const seq = parseSequence(subject);
  const text = `${JSON.stringify(subject.slice(0, 64))} is no sequence of a command`;
  return seq === undefined ? E.left(fault('SUBJECT_INVALID', text)) : E.right(seq);
};

/**
 * The command that a request names: it must be there, and of the account that asks, unless that account keeps all. The
 * index has read it.
 */
export const namedCommand = (
  { nc, index, keepsAll }: CommandLookup,
  asked: ResultQuestion,
): TE.TaskEither<Fault, NamedCommand> =>
  pipe(
    recordsAt({ nc, prefix: '$JS.API' }, [asked.seq]),
    TE.map(([record]) => record),
    TE.orElse((problem) =>
      problem.code === 'LOG_MISMATCH'
        ? TE.right<Fault, StoredMessage | undefined>(undefined)
        : TE.left(problem),
    ),
    TE.chainEitherK((record) =>
      pipe(
        findAsked(record?.subject, asked, keepsAll),
        E.map((subject) => ({ record: record as StoredMessage, subject })),
      ),
    ),
    TE.chain((named) => async () => {
      if (await index.reachedWithin(asked.seq, INDEX_WAIT_MS)) return E.right(named);
      return E.left(fault('LOG_UNAVAILABLE', `record ${asked.seq} has not been read from the log`));
    }),
  );
