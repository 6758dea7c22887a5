import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { parseJson } from '../../schemas/json.js';
import { limitsOf } from '../../schemas/manifest.js';
import { isName } from '../../schemas/names.js';
import { conversationOf, type StoredMessage } from '../../schemas/record.js';
import type { CommandSubject } from '../../schemas/subjects.js';
import { admit } from '../sdk/admission.js';
import type { Checks } from '../sdk/checks.js';
import type { AnyModule, Command } from '../sdk/module.js';

// RFC 3339: Date.parse alone would take "1" for a year.
const TIMESTAMP = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

const checkDeadline = (text: string | undefined, now: number): E.Either<Fault, void> => {
  if (text === undefined) return E.right(undefined);
  const deadline = TIMESTAMP.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(deadline)) {
    return E.left(fault('HEADER_INVALID', `${HEADER.deadline} ${JSON.stringify(text)} is no RFC 3339 time`));
  }
  return deadline < now
    ? E.left(fault('DEADLINE_PAST', `the deadline ${text} had passed`))
    : E.right(undefined);
};

const checkNames = (subject: CommandSubject): E.Either<Fault, void> => {
  for (const [what, token] of [
    ['action', subject.name],
    ['agent', subject.agent ?? '_'],
  ] as const) {
    if (!isName(token)) {
      return E.left(
        fault('NAME_INVALID', `${what} ${JSON.stringify(token)} is not 1 to 64 of A-Z a-z 0-9 _ -`),
      );
    }
  }
  return E.right(undefined);
};

/** Reads a stored command: one that a handler may see, or why not. Every command is judged here, however it was sent. */
export const readCommand = (
  { manifest }: AnyModule,
  checks: Checks,
  subject: CommandSubject,
  message: StoredMessage,
  now: number,
): E.Either<Fault, Command> => {
  const names = checkNames(subject);
  if (E.isLeft(names)) return names;
  const deadline = checkDeadline(message.header(HEADER.deadline), now);
  if (E.isLeft(deadline)) return deadline;
  const limit = limitsOf(manifest).payloadBytes;
  if (message.data.length > limit) {
    const text = `the payload has ${message.data.length} bytes, ${manifest.name} takes ${limit}`;
    return E.left(fault('PAYLOAD_TOO_LARGE', text));
  }
  const data = parseJson(message.data);
  if (E.isLeft(data)) return data;
  const { name: action, agent, sender } = subject;
  const admitted = admit(manifest, checks, { action, agent, sender, data: data.right });
  if (E.isLeft(admitted)) return admitted;
  return E.right({
    seq: message.seq,
    time: message.time,
    agent: agent ?? '',
    sender,
    conversation: conversationOf(message),
    data: data.right,
  });
};
