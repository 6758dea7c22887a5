import Type, { type Static } from 'typebox';

/** Version of the form of exported records. */
export const EXPORT_FORMAT = 1;

const Sequence = Type.Integer({ minimum: 1 });

/** The first line of an export as ndjson. */
export const ExportHeadSchema = Type.Object(
  {
    tallystick: Type.Literal('export'),
    format: Type.Literal(EXPORT_FORMAT),
    logId: Type.String({ description: 'Identity of the log.' }),
    query: Type.Record(Type.String(), Type.Union([Type.String(), Type.Integer()]), {
      description: 'The given filters and range; empty for all records.',
    }),
    toSeq: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
      description: 'Sequence at which the export ends; null if a time or a limit ends it.',
    }),
  },
  { description: 'The first line of an export.', additionalProperties: false },
);
/** The first line of an export: its format, and the records in it. */
export type ExportHead = Readonly<Static<typeof ExportHeadSchema>>;

/**
 * Every other line: a complete record. It has one of `subject` and `subjectBase64`, one of `headers` and
 * `headersBase64`, and one of `data` and `dataBase64`.
 */
export const ExportedRecordSchema = Type.Object(
  {
    seq: Sequence,
    time: Type.String({ description: 'Time when the server stored it, RFC 3339 with nanoseconds.' }),
    subject: Type.Optional(Type.String({ minLength: 1 })),
    subjectBase64: Type.Optional(
      Type.String({ description: 'The bytes of the subject, if they are not UTF-8.' }),
    ),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.Array(Type.String(), { minItems: 1 }), {
        description: 'Each header with all of its values.',
      }),
    ),
    headersBase64: Type.Optional(
      Type.String({
        description: 'The bytes of the headers, if names and values do not give the same bytes again.',
      }),
    ),
    data: Type.Optional(
      Type.Unknown({ description: 'The payload, if it is JSON that gives the same bytes again.' }),
    ),
    dataBase64: Type.Optional(Type.String({ description: 'Any other payload.' })),
  },
  { description: 'One complete record of an export.', additionalProperties: false },
);
export type ExportedRecord = Readonly<Static<typeof ExportedRecordSchema>>;
