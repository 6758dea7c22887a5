import Type, { type Static } from 'typebox';

/** The kinds of findings. */
export const FINDING_KINDS = [
  'missing',
  'duplicated',
  'reordered',
  'altered',
  'unanswered',
  'answeredTwice',
  'orphanEvent',
  'unattributed',
  'stateMismatch',
  'forbidden',
  'callsDiffer',
  'cancelDiffers',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

export const FindingSchema = Type.Object(
  {
    kind: Type.Enum([...FINDING_KINDS]),
    seq: Type.Integer({
      minimum: 0,
      description: 'Sequence of the record that shows it; 0 if no single record does.',
    }),
    producer: Type.String({ description: 'Producer of the record, if known; otherwise empty.' }),
    detail: Type.String({ description: 'Description with the numbers.' }),
  },
  { description: 'One finding.' },
);
export type Finding = Readonly<Static<typeof FindingSchema>>;

const Count = (description: string) => Type.Integer({ minimum: 0, description });
const Sequence = Type.Integer({ minimum: 0 });

const Digest = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** The schema of what `replay verify` found. */
export const VerificationSchema = Type.Object(
  {
    ok: Type.Boolean({ description: 'true: there is no finding.' }),
    records: Count('Records read.'),
    firstSeq: Type.Integer({ minimum: 0, description: 'Begin of the range.' }),
    lastSeq: Type.Integer({ minimum: 0, description: 'End of the range.' }),
    commands: Count('Of the records.'),
    events: Count('Of the records.'),
    results: Count('Of the records.'),
    producers: Count('Names that numbered records.'),
    missing: Count(
      'Findings: missing sequences, numbers of a producer, copies or acknowledged records; events that a listener did not get.',
    ),
    duplicated: Count('Findings: numbers, copies, deliveries or lines of a ledger that occur twice.'),
    reordered: Count('Findings: numbers, epochs, commands or deliveries of an agent out of order.'),
    unanswered: Count('Commands without a result. New ones are counted, but are no findings.'),
    answeredTwice: Count('Findings: second results of a command.'),
    orphanEvents: Count(
      'Findings: events and commands that no result promises; deliveries without an event.',
    ),
    unattributed: Count('Findings: records with a missing or forged producer.'),
    stateMismatches: Count('Findings: snapshots that differ from the log.'),
    digest: Type.String({
      description: 'SHA-256 over all records of the range in order: docs/reference/replay.md#the-digest.',
    }),
    seconds: Type.Number({
      minimum: 0,
      description: 'Seconds for reading and checking the records, without the snapshots.',
    }),
    findings: Type.Immutable(Type.Array(FindingSchema, { description: 'The first findings.' })),
    findingsTotal: Count('All findings, listed or not.'),
    forbidden: Count('Findings: copies that a result promises and its module may not send.'),
    callsDiffer: Count('Findings: results that name other calls of their handler than the log has.'),
    cancelDiffers: Count(
      'Findings: cancels without a command, and results and steps that name another cancel than the log has.',
    ),
    altered: Count(
      'Findings: records that differ from the certificate, or copies that differ from the result.',
    ),
    epochs: Count('Of the records.'),
    waiting: Count('Commands and copies that are too new to count as missing.'),
    before: Count('Results and copies whose commands are before the range; they cannot be checked.'),
    ledger: Count('Lines of the ledger.'),
    states: Type.Immutable(
      Type.Array(
        Type.Object({
          module: Type.String(),
          agents: Count('Agents whose snapshots were compared.'),
        }),
        { description: 'Modules whose snapshots match the log.' },
      ),
    ),
    notes: Type.Immutable(
      Type.Array(Type.String(), { description: 'Parts that were not checked, with the reason.' }),
    ),
    logId: Type.String({ description: 'Identity of the log.' }),
  },
  { description: 'Report of `replay verify`.' },
);
/** What `replay verify` found. */
export type Verification = Readonly<Static<typeof VerificationSchema>>;

export const LedgerEntrySchema = Type.Union(
  [
    Type.Object({
      id: Type.String({ description: 'Tally-Id of the sent record.' }),
      seq: Type.Integer({ minimum: 1 }),
      subject: Type.Optional(Type.String()),
    }),
    Type.Object({
      subject: Type.String({
        description: 'Subject as published, without the sender at its end in the log.',
      }),
      seq: Type.Integer({ minimum: 1 }),
    }),
  ],
  { description: 'A line of a ledger: an acknowledged record and its sequence.' },
);
export type LedgerEntry = Readonly<Static<typeof LedgerEntrySchema>>;

/** The statement of a certificate: these words are signed. */
export const StatementSchema = Type.Object(
  {
    statement: Type.Literal('tallystick verification 1'),
    logId: Type.String(),
    issuedAt: Type.String({ description: 'RFC 3339.' }),
    firstSeq: Sequence,
    lastSeq: Sequence,
    records: Count('In the range.'),
    commands: Count('Of the records.'),
    results: Count('Of the records.'),
    events: Count('Of the records.'),
    epochs: Count('Of the records.'),
    findings: Count('Findings at the time of issue.'),
    digest: Digest,
    segments: Type.Immutable(
      Type.Array(Type.Immutable(Type.Tuple([Type.Integer({ minimum: 1 }), Digest])), {
        description:
          'First sequence and digest of each part; docs/reference/replay.md#the-digest defines the parts.',
      }),
    ),
  },
  { description: 'The statement of a certificate.' },
);
export type Statement = Readonly<Static<typeof StatementSchema>>;

/** The schema of a certificate: the counts and digests of a range of the log, signed. */
export const CertificateSchema = Type.Object(
  {
    statement: Type.String({
      description: 'The statement as JSON. Exactly these characters, in UTF-8, are signed.',
    }),
    publicKey: Type.String({ description: 'Ed25519, 32 bytes, base64.' }),
    signature: Type.String({ description: 'Ed25519, 64 bytes, base64.' }),
  },
  { description: 'A signed statement about a range of a log.' },
);
/** A signed certificate of a range of the log. */
export type Certificate = Readonly<Static<typeof CertificateSchema>>;
