import * as E from 'fp-ts/lib/Either.js';
import type { DeadLetter } from '../../schemas/dead.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { jsonOrText, parseJson } from '../../schemas/json.js';
import { MAX_RECORD_BYTES } from '../../schemas/log.js';
import { partOrInvalid } from '../../schemas/names.js';
import { conversationOf, type StoredMessage } from '../../schemas/record.js';
import { type Refusal, RefusalSchema } from '../../schemas/result.js';
import { letterRedrivenBy } from '../index/redriven-letter.js';
import { type Address, type CommandSubject, deadSubject, splitSubject } from '../../schemas/subjects.js';
import { compileOnUse } from '../../schemas/validate.js';

const decoder = new TextDecoder();

/** Subject, headers and what the server counts besides the body; and what is said of the letter when it is shown. */
const ENVELOPE_BYTES = 16_384;
const MAX_TEXT = 4_096;

const checkRefusal = compileOnUse<Refusal>(RefusalSchema, 'OUTCOME_INVALID', 'the result');

/** The subject of a command's letter: a token that is no name becomes `_`, as in its result. */
export const subjectOfLetter = ({ module, name, agent }: Address, command: number): string =>
  deadSubject(
    {
      module: partOrInvalid(module),
      name: partOrInvalid(name),
      ...(agent === undefined ? {} : { agent: partOrInvalid(agent) }),
    },
    command,
  );

/** The payload word for word where it is JSON: parsed and written again, large numbers would be others. */
const payloadText = (data: Uint8Array): string => {
  if (data.length === 0) return '{}';
  const text = decoder.decode(data);
  return E.isRight(parseJson(data)) ? text : JSON.stringify(text);
};

const clip = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text);

const errorOf = (result: StoredMessage): E.Either<string, DeadLetter['error']> => {
  const read = checkRefusal(jsonOrText(result.data));
  if (E.isLeft(read)) return E.left(read.left.message);
  const { path, ...error } = read.right.error;
  const place = path === undefined || path.length > MAX_TEXT ? {} : { path };
  return E.right({ ...error, ...place, message: clip(error.message) });
};

/**
 * The letter of a command and its result, as JSON, or why there is none: the header on a result is its module's word,
 * and only a result that says no can be one.
 */
export const composeLetter = (
  command: StoredMessage,
  result: StoredMessage,
  time: string,
  stackOf: (code: string) => string | undefined = () => undefined,
): E.Either<string, string> => {
  const subject = splitSubject(command.subject) as CommandSubject;
  const error = errorOf(result);
  if (E.isLeft(error)) return error;
  const stack = stackOf(error.right.code);
  const letter: Omit<DeadLetter, 'payload'> = {
    command: command.seq,
    result: result.seq,
    time,
    module: subject.module,
    action: subject.name,
    agent: subject.agent ?? null,
    sender: subject.sender,
    conversation: conversationOf(command),
    redrives: letterRedrivenBy(command) ?? null,
    attempts: parseSequence(result.header(HEADER.dead) ?? '') ?? 1,
    error: error.right,
    ...(stack === undefined ? {} : { stack }),
  };
  const whole = (payload: string): string => `${JSON.stringify(letter).slice(0, -1)},"payload":${payload}}`;
  const body = whole(payloadText(command.data));
  return E.right(Buffer.byteLength(body) > MAX_RECORD_BYTES - ENVELOPE_BYTES ? whole('null') : body);
};
