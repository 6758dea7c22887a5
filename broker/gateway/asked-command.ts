import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { addressText, type CommandSubject, splitSubject } from '../../schemas/subjects.js';

/** A request for the result of the command at `seq`. */
export interface ResultQuestion {
  readonly seq: number;
  /** Who asks. */
  readonly sender: string;
  /** MODULE.ACTION[.AGENT], where who asks says which command it is. */
  readonly command?: string;
}

const unknown = (text: string): E.Either<Fault, never> => E.left(fault('COMMAND_UNKNOWN', text));

/** The command at a place of the log, for who sent it; `subject`: of the record there, if there is one. */
export const findAsked = (
  subject: string | undefined,
  { seq, sender, command }: ResultQuestion,
  seesAll: (account: string) => boolean,
): E.Either<Fault, CommandSubject> => {
  const found = subject === undefined ? undefined : splitSubject(subject);
  if (found?.kind !== 'cmd') return unknown(`record ${seq} of the log is no command`);
  if (found.sender !== sender && !seesAll(sender))
    return E.left(fault('NOT_ALLOWED', `command ${seq} was sent by another account`));
  return command === undefined || command === addressText(found)
    ? E.right(found)
    : unknown(`command ${seq} is ${addressText(found)}, and not ${command}`);
};
