import Type, { type Static } from 'typebox';

/** Version of the shape of exported records. */
export const EXPORT_FORMAT = 1;

const Sequence = Type.Integer({ minimum: 1 });

/** The first line of an export as ndjson. */
export const ExportHeadSchema = Type.Object(
  {
    tallystick: Type.Literal('export'),
    format: Type.Literal(EXPORT_FORMAT),
    logId: Type.String({ description: 'Identity of the log.' }),
    query: Type.Record(Type.String(), Type.Union([Type.String(), Type.Integer()]), {
      description: 'Which records were asked for: the filters and the range that were given; empty for all.',
    }),
    toSeq: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
      description: 'Where the export ends; null where a time or a limit ends it.',
    }),
  },
  { description: 'The first line of an export.', additionalProperties: false },
);
export type ExportHead = Readonly<Static<typeof ExportHeadSchema>>;

/** Every other line: a record with nothing left out. One of `subject` and `subjectBase64`, one of `headers` and `headersBase64`, one of `data` and `dataBase64`. */
export const ExportedRecordSchema = Type.Object(
  {
    seq: Sequence,
    time: Type.String({ description: 'When the server stored it, RFC 3339 with nanoseconds.' }),
    subject: Type.Optional(Type.String({ minLength: 1 })),
    subjectBase64: Type.Optional(
      Type.String({ description: 'The bytes of the subject, where they are no UTF-8.' }),
    ),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.Array(Type.String(), { minItems: 1 }), {
        description: 'Each header with all of its values.',
      }),
    ),
    headersBase64: Type.Optional(
      Type.String({
        description: 'The bytes of the headers, where names and values do not print back to them.',
      }),
    ),
    data: Type.Optional(
      Type.Unknown({ description: 'The payload, where it is JSON that prints back to the same bytes.' }),
    ),
    dataBase64: Type.Optional(Type.String({ description: 'The payload, where it is anything else.' })),
  },
  { description: 'One record of an export, with nothing left out.', additionalProperties: false },
);
export type ExportedRecord = Readonly<Static<typeof ExportedRecordSchema>>;
