import Type, { type Static, type TSchema } from 'typebox';
import { HEADER, SCHEMA_VERSION } from './headers.js';
import { parseSequence } from './identity.js';
import { PAYLOAD_FORMS, Payload } from './payload.js';
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
  /** The bytes of the subject, where its reader has them: the server takes any but a space, a tab and a line break. */
  readonly subjectBytes?: Uint8Array;
  /** Value of a header, or undefined. */
  readonly header: (name: string) => string | undefined;
  readonly data: Uint8Array;
}

/** All that the log holds of a record, as it was stored. */
export interface RawRecord {
  readonly seq: number;
  /** When the server stored it: nanoseconds since 1970, in digits (more than a double holds). */
  readonly nanos: string;
  /** As text; a byte that is no UTF-8 is U+FFFD there. */
  readonly subject: string;
  /** As it was stored. */
  readonly subjectBytes: Uint8Array;
  /** From `NATS/1.0` to the empty line; empty when it has none. */
  readonly headerBytes: Uint8Array;
  readonly data: Uint8Array;
}

/** A message of the log with nothing left out. */
export interface WholeMessage extends Omit<StoredMessage, keyof RawRecord>, RawRecord {}

const OrNull = <T extends TSchema>(type: T, description?: string) =>
  Type.Union([type, Type.Null()], description === undefined ? {} : { description });
const Sequence = Type.Integer({ minimum: 1 });

/** One line of history. Fields that do not apply are null, so that every line has the same shape. */
export const HistoryRecordSchema = Type.Object(
  {
    seq: Sequence,
    time: Type.String({ description: 'When the server stored it, RFC 3339.' }),
    kind: Type.Enum(['cmd', 'res', 'evt', 'epoch', 'unknown']),
    subject: Type.String({ description: 'Bytes of it that are no UTF-8 are U+FFFD.' }),
    subjectBase64: OrNull(Type.String(), 'All of its bytes, where they are no UTF-8.'),
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
    form: Type.Enum([...PAYLOAD_FORMS], {
      description:
        'What the payload is: `json`, and `data` is what was stored, its numbers and keys as they were written; `deep`, JSON nested deeper than 1,000 levels, and `data` is its text; `text`, no JSON, and `data` is that text; `base64`, no UTF-8, and `data` is its base64; `empty`, and `data` is null.',
    }),
    data: Type.Unknown({ description: 'The payload, as `form` says.' }),
  },
  { description: 'One line of history. Fields that do not apply are null.' },
);

/** A line of history as programs read it. */
export type HistoryLine = Readonly<Static<typeof HistoryRecordSchema>>;

/** A record of the log, with what its subject and its headers say. */
export interface HistoryRecord extends Omit<HistoryLine, 'form' | 'data'> {
  readonly payload: Payload;
}

/** A record as one line of JSON, {@link HistoryLine}: its payload is what was stored. */
export const historyLine = ({ payload, ...facts }: HistoryRecord): string =>
  `${JSON.stringify({ ...facts, form: payload.form }).slice(0, -1)},"data":${payload.json}}`;

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

/** What stands for a byte that is no UTF-8, and can be there itself. */
const REPLACED = '\ufffd';

const oddSubject = ({ subject, subjectBytes }: StoredMessage): string | null => {
  if (subjectBytes === undefined || !subject.includes(REPLACED)) return null;
  const payload = new Payload(subjectBytes);
  return payload.form === 'base64' ? (payload.value as string) : null;
};

export const toHistory = (message: StoredMessage): HistoryRecord => {
  const subject = splitSubject(message.subject);
  const id = message.header(HEADER.id) ?? null;
  const common = {
    seq: message.seq,
    time: message.time,
    subject: message.subject,
    subjectBase64: oddSubject(message),
    id,
    cause: causeOf(message) ?? null,
    payload: new Payload(message.data),
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
