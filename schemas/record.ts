import Type, { type Static, type TSchema } from 'typebox';
import { HEADER, SCHEMA_VERSION } from './headers.js';
import { parseSequence } from './identity.js';
import { jsonOrText } from './json.js';
import { splitSubject } from './subjects.js';

/** A message of the log as the server hands it over, before anyone interprets it. */
export interface StoredMessage {
  /** Position in the log. */
  readonly seq: number;
  /** When the server stored it, RFC 3339. */
  readonly time: string;
  /** The same, milliseconds since 1970. */
  readonly timeMs: number;
  /** The same, microseconds, where its reader knows it that exactly. */
  readonly timeUs?: number;
  readonly subject: string;
  /** Value of a header, or undefined. */
  readonly header: (name: string) => string | undefined;
  readonly data: Uint8Array;
}

/** All that the log holds of a record, as it was stored. */
export interface RawRecord {
  readonly seq: number;
  /** When the server stored it: nanoseconds since 1970, in digits (more than a double holds). */
  readonly nanos: string;
  readonly subject: string;
  /** From `NATS/1.0` to the empty line; empty when it has none. */
  readonly headerBytes: Uint8Array;
  readonly data: Uint8Array;
}

/** A message of the log with nothing left out. */
export interface WholeMessage extends StoredMessage, RawRecord {}

const OrNull = <T extends TSchema>(type: T, description?: string) =>
  Type.Union([type, Type.Null()], description === undefined ? {} : { description });
const Sequence = Type.Integer({ minimum: 1 });

/** One line of history. Fields that do not apply are null, so that every line has the same shape. */
export const HistoryRecordSchema = Type.Object(
  {
    seq: Sequence,
    time: Type.String({ description: 'When the server stored it, RFC 3339.' }),
    kind: Type.Enum(['cmd', 'res', 'evt', 'epoch', 'unknown']),
    subject: Type.String(),
    module: OrNull(Type.String()),
    name: OrNull(Type.String(), 'Action of a command or result, name of an event, producer of an epoch.'),
    agent: OrNull(Type.String()),
    sender: OrNull(
      Type.String(),
      'Who sent a command, as the server authenticated it; the producer of other records.',
    ),
    id: OrNull(Type.String(), 'Tally-Id.'),
    cause: OrNull(Sequence, 'Sequence of the command that caused it.'),
    conversation: OrNull(
      Sequence,
      'Sequence of the first record of its conversation; its own when it is the first.',
    ),
    data: Type.Unknown({ description: 'The payload as JSON, or as text when it is none.' }),
  },
  { description: 'One line of history. Fields that do not apply are null.' },
);
export type HistoryRecord = Readonly<Static<typeof HistoryRecordSchema>>;

const sequence = (text: string | undefined): number | null =>
  text === undefined ? null : (parseSequence(text) ?? null);

/** The conversation of a record: its header, or its own sequence when it began one. */
export const conversationOf = (message: StoredMessage): number =>
  sequence(message.header(HEADER.conversation)) ?? message.seq;

/** Sequence of the command that caused a record; undefined where none did, or where it cannot be read. */
export const causeOf = (message: Pick<StoredMessage, 'header'>): number | undefined =>
  sequence(message.header(HEADER.cause)) ?? undefined;

/** Version of the shape of a record's payload: 1 without a header, undefined when the header names none. */
export const schemaVersionOf = (message: Pick<StoredMessage, 'header'>): number | undefined =>
  parseSequence(message.header(HEADER.schema) ?? SCHEMA_VERSION);

export const toHistory = (message: StoredMessage): HistoryRecord => {
  const subject = splitSubject(message.subject);
  const id = message.header(HEADER.id) ?? null;
  const common = {
    seq: message.seq,
    time: message.time,
    subject: message.subject,
    id,
    cause: causeOf(message) ?? null,
    data: jsonOrText(message.data),
  };
  if (subject === undefined || subject.kind === 'epoch') {
    const producer = subject?.producer ?? null;
    return {
      ...common,
      kind: subject?.kind ?? 'unknown',
      module: null,
      name: producer,
      agent: null,
      sender: subject === undefined ? null : 'broker',
      conversation: null,
    };
  }
  return {
    ...common,
    kind: subject.kind,
    module: subject.module,
    name: subject.name,
    agent: subject.agent ?? null,
    sender: subject.kind === 'cmd' ? subject.sender : (id?.split('.', 1)[0] ?? subject.module),
    conversation: conversationOf(message),
  };
};
