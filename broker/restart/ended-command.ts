import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { recordsAt } from '../../journal/read/records-at.js';
import { isErrorCode } from '../../schemas/error-table.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { jsonOrText } from '../../schemas/json.js';
import { partOrInvalid } from '../../schemas/names.js';
import type { StoredMessage } from '../../schemas/record.js';
import { type KeysBefore, parseKept } from '../../schemas/restart.js';
import type { Result } from '../../schemas/result.js';
import { resultSubject } from '../../schemas/subjects.js';
import { findResult } from '../gateway/find-result.js';
import type { NamedCommand } from '../gateway/named-command.js';
import { restartAt } from '../gateway/stored-restart.js';
import type { LogIndex } from '../index/log-index.js';
import type { EndedCommand } from './past-handler.js';

/** A command that can be restarted, with the keys that its steps had of commands before it. */
export interface RestartableCommand extends EndedCommand {
  readonly keys: readonly KeysBefore[];
  /** Its module refused it: that counts, unless the handler had met a cancel. */
  readonly isRefused: boolean;
}

/** A result that the module decided counts: it has done the command, or has refused it. */
export const hasResultThatCounts = (seq: number): Fault =>
  fault(
    'RESTART_REFUSED',
    `command ${seq} has a result that counts: only what has failed or was cancelled runs again`,
  );

const isDead = (result: StoredMessage): boolean =>
  result.header(HEADER.dead) !== undefined || result.header(HEADER.cancelled) !== undefined;

/** The result of a command that ended without being done. RESULT_PENDING, RESTART_REFUSED. */
export const readEndedCommand = async (
  { nc, index }: { readonly nc: NatsConnection; readonly index: Pick<LogIndex, 'commands' | 'restarts'> },
  { record, subject }: NamedCommand,
): Promise<E.Either<Fault, RestartableCommand>> => {
  const { seq } = record;
  if (index.commands.get(seq) !== undefined)
    return E.left(fault('RESULT_PENDING', `command ${seq} has no result yet, so nothing can restart it`));
  const { module, name, agent } = subject;
  const address = {
    module: partOrInvalid(module),
    name: partOrInvalid(name),
    ...(agent === undefined ? {} : { agent: partOrInvalid(agent) }),
  };
  const resultSeq = await findResult({ nc, command: seq, subject: resultSubject(address) });
  if (E.isLeft(resultSeq)) return resultSeq;
  const found = await recordsAt({ nc, prefix: '$JS.API' }, [resultSeq.right])();
  if (E.isLeft(found)) return found;
  const [result] = found.right;
  if (result === undefined) return E.left(fault('LOG_UNAVAILABLE', `record ${resultSeq.right} did not come`));
  const said = jsonOrText(result.data) as Result;
  if (said.status === 'ok') return E.left(hasResultThatCounts(seq));
  const isRefused = !isDead(result) && said.status === 'rejected' && !isErrorCode(said.error.code);
  // A module can write the headers too: what the index took of them is what the handler had.
  const known = index.restarts.of(parseSequence(record.header(HEADER.redrives) ?? '') ?? 0);
  const ended = { seq, subject, resultSeq: resultSeq.right, isRefused };
  if (known?.command !== seq) return E.right({ ...ended, kept: [], keys: [] });
  const restart = await restartAt(nc, known.restart);
  if (E.isLeft(restart)) return restart;
  return E.right({ ...ended, kept: parseKept(known.kept) ?? [], keys: restart.right.keys });
};
