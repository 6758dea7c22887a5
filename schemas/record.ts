import Type, { type Static, type TSchema } from 'typebox';
import { HEADER, SCHEMA_VERSION } from './headers.js';
import { parseSequence } from './identity.js';
import { PAYLOAD_FORMS, Payload } from './payload.js';
import { splitSubject } from './subjects.js';

/** A message of the log as the server delivers it, not interpreted yet. */
export interface StoredMessage {
  /** Its sequence in the log. */
  readonly seq: number;
  /** When the server stored it, RFC 3339. */
  readonly time: string;
  /** The same, milliseconds since 1970. */
  readonly timeMs: number;
  /** The same in microseconds, if the reader knows it that exactly. */
  readonly timeUs?: number;
  readonly subject: string;
  /** The bytes of the subject, if the reader has them: the server takes any but a space, a tab and a line break. */
  readonly subjectBytes?: Uint8Array;
  /** Value of a header, or undefined. */
  readonly header: (name: string) => string | undefined;
  readonly data: Uint8Array;
}

/** Everything that the log has of a record, as stored. */
export interface RawRecord {
  readonly seq: number;
  /** Time of storing: nanoseconds since 1970 in digits, because a double cannot hold them. */
  readonly nanos: string;
  /** As text; a byte that is not UTF-8 is U+FFFD. */
  readonly subject: string;
  /** The stored bytes. */
  readonly subjectBytes: Uint8Array;
  /** From `NATS/1.0` to the empty line; empty when it has none. */
  readonly headerBytes: Uint8Array;
  readonly data: Uint8Array;
}

/** A complete message of the log. */
export interface WholeMessage extends Omit<StoredMessage, keyof RawRecord>, RawRecord {}

const OrNull = <T extends TSchema>(type: T, description?: string) =>
  Type.Union([type, Type.Null()], description === undefined ? {} : { description });
const Sequence = Type.Integer({ minimum: 1 });

/** One line of history. Fields that do not apply are null, so every line has the same form. */
export const HistoryRecordSchema = Type.Object(
  {
    seq: Sequence,
    time: Type.String({ description: 'Time when the server stored it, RFC 3339.' }),
    kind: Type.Enum(['cmd', 'res', 'evt', 'step', 'wake', 'cancel', 'restart', 'signal', 'epoch', 'unknown']),
    subject: Type.String({ description: 'Bytes that are not UTF-8 are U+FFFD.' }),
    subjectBase64: OrNull(Type.String(), 'All bytes of the subject, if they are not UTF-8.'),
    module: OrNull(Type.String()),
    name: OrNull(Type.String(), 'Action of a command or result, name of an event, producer of an epoch.'),
    agent: OrNull(Type.String()),
    sender: OrNull(Type.String(), 'The authenticated sender of a command; the producer of other records.'),
    id: OrNull(Type.String(), 'Tally-Id.'),
    cause: OrNull(Sequence, 'Sequence of the command that caused it.'),
    conversation: OrNull(
      Sequence,
      'Sequence of the first record of its conversation; its own when it is the first.',
    ),
    form: Type.Enum([...PAYLOAD_FORMS], {
      description:
        'The form of the payload. `json`: `data` is the stored JSON with its numbers and keys as written. `deep`: JSON nested deeper than 1,000 levels, and `data` is its text. `text`: not JSON, and `data` is the text. `base64`: not UTF-8, and `data` is its base64. `empty`: `data` is null.',
    }),
    data: Type.Unknown({ description: 'The payload in its `form`.' }),
  },
  { description: 'One line of history. Fields that do not apply are null.' },
);

/** A line of history as programs read it. */
export type HistoryLine = Readonly<Static<typeof HistoryRecordSchema>>;

/** A record of the log with the meaning of its subject and headers. */
export interface HistoryRecord extends Omit<HistoryLine, 'form' | 'data'> {
  readonly payload: Payload;
}

/** A record as one line of JSON, {@link HistoryLine}, with the stored payload. */
export const historyLine = ({ payload, ...facts }: HistoryRecord): string =>
  `${JSON.stringify({ ...facts, form: payload.form }).slice(0, -1)},"data":${payload.json}}`;

const sequence = (text: string | undefined): number | null =>
  text === undefined ? null : (parseSequence(text) ?? null);

/** The conversation of a record: from its header, or its own sequence if it is the first. */
export const conversationOf = (message: StoredMessage): number =>
  sequence(message.header(HEADER.conversation)) ?? message.seq;

/** Sequence of the command that caused a record; undefined without a readable cause. */
export const causeOf = (message: Pick<StoredMessage, 'header'>): number | undefined =>
  sequence(message.header(HEADER.cause)) ?? undefined;

/** Version of the form of a record's payload: 1 without a header, undefined if the header names none. */
export const schemaVersionOf = (message: Pick<StoredMessage, 'header'>): number | undefined =>
  parseSequence(message.header(HEADER.schema) ?? SCHEMA_VERSION);

/** Replaces a byte that is not UTF-8. The text may also contain it itself. */
const REPLACED = '\ufffd';

const oddSubject = ({ subject, subjectBytes }: StoredMessage): string | null => {
  if (subjectBytes === undefined || !subject.includes(REPLACED)) return null;
  const payload = new Payload(subjectBytes);
  return payload.form === 'base64' ? (payload.value as string) : null;
};

/** A stored message as a record of history: the parts of its subject and of its headers, with names. */
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
