import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { parseInstant } from '../../schemas/instant.js';
import { parseJson } from '../../schemas/json.js';
import { limitsOf } from '../../schemas/manifest.js';
import { isName, isPeople } from '../../schemas/names.js';
import { conversationOf, type StoredMessage } from '../../schemas/record.js';
import type { CommandSubject } from '../../schemas/subjects.js';
import { mayHandle } from '../sdk/may-call.js';
import type { CompiledModule } from '../sdk/compiled-module.js';
import type { RecordSeals } from '../sdk/fold.js';
import type { Command } from '../sdk/module-shape.js';

/** When a command is not to be handled any more, milliseconds since 1970; NaN when its header cannot be read. */
export const deadlineOf = (message: StoredMessage): number | undefined => {
  const text = message.header(HEADER.deadline);
  if (text === undefined) return undefined;
  return parseInstant(text) ?? Number.NaN;
};

export const isUrgent = (message: StoredMessage): boolean => message.header(HEADER.priority) === 'urgent';

export const deadlinePast = (deadline: number): Fault =>
  fault('DEADLINE_PAST', `the deadline ${new Date(deadline).toISOString()} had passed`);

const checkHeaders = (message: StoredMessage, now: number): E.Either<Fault, void> => {
  const unreadable = (name: string, wanted: string): E.Either<Fault, void> =>
    E.left(fault('HEADER_INVALID', `${name} ${JSON.stringify(message.header(name))} is ${wanted}`));
  const deadline = deadlineOf(message);
  if (Number.isNaN(deadline)) return unreadable(HEADER.deadline, 'no RFC 3339 time');
  const priority = message.header(HEADER.priority);
  if (priority !== undefined && priority !== 'urgent' && priority !== 'normal') {
    return unreadable(HEADER.priority, 'neither urgent nor normal');
  }
  return deadline !== undefined && deadline < now ? E.left(deadlinePast(deadline)) : E.right(undefined);
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

/**
 * The payload as its sender wrote it. The broker has encrypted what people sent, and nothing else: what a module sent
 * may only look so.
 */
const openedPayload = (
  seals: RecordSeals | undefined,
  { agent = '', sender }: CommandSubject,
  { data }: StoredMessage,
): E.Either<Fault, Uint8Array> => {
  if (seals === undefined) return E.right(data);
  const erased = seals.check(agent);
  if (E.isLeft(erased)) return erased;
  return isPeople(sender) ? seals.open(agent, data) : E.right(data);
};

/** The parser quotes what it could not read. Of an encrypted payload, that must not be stored. */
const parsed = (payload: Uint8Array, seals: RecordSeals | undefined): E.Either<Fault, unknown> => {
  const data = parseJson(payload);
  return seals !== undefined && E.isLeft(data) && data.left.code === 'PAYLOAD_NOT_JSON'
    ? E.left(fault('PAYLOAD_NOT_JSON', 'the payload is not JSON'))
    : data;
};

/**
 * Reads a stored command: one that a handler may see, or why not. Every command is judged here, however it was sent.
 */
export const readCommand = (
  { module: { manifest }, checks, seals }: CompiledModule,
  subject: CommandSubject,
  message: StoredMessage,
  now: number,
  config?: unknown,
): E.Either<Fault, Command> => {
  const names = checkNames(subject);
  if (E.isLeft(names)) return names;
  const headers = checkHeaders(message, now);
  if (E.isLeft(headers)) return headers;
  const limit = limitsOf(manifest).payloadBytes;
  const opened = openedPayload(seals, subject, message);
  if (E.isLeft(opened)) return opened;
  const payload = opened.right;
  if (payload.length > limit) {
    const text = `the payload has ${payload.length} bytes, ${manifest.name} takes ${limit}`;
    return E.left(fault('PAYLOAD_TOO_LARGE', text));
  }
  const data = parsed(payload, seals);
  if (E.isLeft(data)) return data;
  const { name: action, agent, sender } = subject;
  const admitted = mayHandle(manifest, checks, { action, agent, sender, data: data.right });
  if (E.isLeft(admitted)) return admitted;
  return E.right({
    seq: message.seq,
    time: message.time,
    agent: agent ?? '',
    sender,
    conversation: conversationOf(message),
    data: data.right,
    config,
  });
};
