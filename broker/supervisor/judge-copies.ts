import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { type Fault, toFault } from '../../schemas/errors.js';
import type { Manifest } from '../../schemas/manifest.js';
import { partOrInvalid } from '../../schemas/names.js';
import { mayStoreCopy } from '../../schemas/publish-rights.js';
import { causeOf, type StoredMessage } from '../../schemas/record.js';
import { resultSubject, splitSubject } from '../../schemas/subjects.js';
import type { Copy } from '../../journal/append/copy-draft.js';
import { readLogBatches } from '../../journal/read/reader.js';
import { recordsAt } from '../../journal/read/records-at.js';
import type { MissingCopy } from '../../journal/append/recovery.js';

/** A copy that a module's result promises and that the module may not have. */
export interface RefusedCopy {
  /** Sequence of the result, of the command that it names, and which of its copies it is. */
  readonly decision: number;
  readonly cause: number;
  readonly part: number;
  readonly why: string;
}

export interface JudgedCopies {
  readonly allowed: readonly Copy[];
  readonly refused: readonly RefusedCopy[];
}

const MAX_SUBJECT = 200;

/** The subject that the result of a command has: `_` stands for a token that is no name. */
const answerTo = (command: StoredMessage): string | undefined => {
  const subject = splitSubject(command.subject);
  if (subject?.kind !== 'cmd') return undefined;
  const { module, name, agent } = subject;
  return resultSubject({
    module: partOrInvalid(module),
    name: partOrInvalid(name),
    ...(agent === undefined ? {} : { agent: partOrInvalid(agent) }),
  });
};

/** The first result of the command in the log that this module has stored on that subject. */
const firstResult = async (nc: NatsConnection, { decision, result, copy }: MissingCopy): Promise<number> => {
  const range = { filters: [result], fromSeq: copy.cause + 1, toSeq: decision, headersOnly: true };
  for await (const batch of readLogBatches(nc, range)) {
    const found = batch.find((message) => causeOf(message) === copy.cause);
    if (found !== undefined) return found.seq;
  }
  return decision;
};

/** Why a result is no answer to the command that it names; undefined when it is one. */
const notAnAnswer = async (
  nc: NatsConnection,
  missing: MissingCopy,
  command: StoredMessage | undefined,
): Promise<string | undefined> => {
  const { cause } = missing.copy;
  if (command === undefined) return `the log has no record ${cause}`;
  if (answerTo(command) !== missing.result) return `${missing.result} is no answer to record ${cause}`;
  const first = await firstResult(nc, missing);
  return first === missing.decision ? undefined : `command ${cause} has another result before it, ${first}`;
};

/** Records by their sequences; undefined for one that a damaged log does not have. */
const recordsOrNone = async (
  nc: NatsConnection,
  sequences: readonly number[],
): Promise<E.Either<Fault, readonly (StoredMessage | undefined)[]>> => {
  const api = { nc, prefix: '$JS.API' };
  const found = await recordsAt(api, sequences)();
  if (E.isRight(found) || found.left.code !== 'LOG_MISMATCH') return found;
  const records: (StoredMessage | undefined)[] = [];
  for (const seq of sequences) {
    const one = await recordsAt(api, [seq])();
    if (E.isLeft(one) && one.left.code !== 'LOG_MISMATCH') return one;
    records.push(E.isLeft(one) ? undefined : one.right[0]);
  }
  return E.right(records);
};

const inDecisions = (missing: readonly MissingCopy[]): ReadonlyMap<number, readonly MissingCopy[]> => {
  const byDecision = new Map<number, MissingCopy[]>();
  for (const each of missing) {
    const same = byDecision.get(each.decision);
    if (same === undefined) byDecision.set(each.decision, [each]);
    else same.push(each);
  }
  return byDecision;
};

/**
 * Parts the copies that the broker may store in the name of a module from those it may not. A result is the module's
 * own word, and the broker stores with rights that no module has: so it stores what that module's account could have
 * stored, as the consequence of a command that this result answers, and nothing else.
 */
export const judgeCopies =
  (
    nc: NatsConnection,
    manifest: Manifest,
    missing: readonly MissingCopy[],
  ): TaskEither<Fault, JudgedCopies> =>
  async () => {
    const allowed: Copy[] = [];
    const refused: RefusedCopy[] = [];
    const refuse = ({ decision, copy: { cause, i } }: MissingCopy, why: string): void => {
      refused.push({ decision, cause, part: i, why });
    };
    const decisions = [...inDecisions(missing).values()];
    const causes = decisions.map((copies) => (copies[0] as MissingCopy).copy.cause);
    const commands = await recordsOrNone(nc, causes);
    if (E.isLeft(commands)) return commands;
    try {
      for (const [index, copies] of decisions.entries()) {
        const wrong = await notAnAnswer(nc, copies[0] as MissingCopy, commands.right[index]);
        for (const each of copies) {
          const { schema, out } = each.copy;
          const { subject } = out;
          if (wrong !== undefined) refuse(each, wrong);
          else if (mayStoreCopy(manifest, subject, schema)) allowed.push(each.copy);
          else
            refuse(each, `${manifest.name} may not store ${JSON.stringify(subject.slice(0, MAX_SUBJECT))}`);
        }
      }
      return E.right({ allowed, refused });
    } catch (error) {
      return E.left(toFault(error, 'LOG_UNAVAILABLE'));
    }
  };
