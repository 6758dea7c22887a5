import Type, { type Static } from 'typebox';

/** What can be wrong with a log, one name each. */
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
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

export const FindingSchema = Type.Object(
  {
    kind: Type.Enum([...FINDING_KINDS]),
    seq: Type.Integer({
      minimum: 0,
      description: 'Where in the log it shows; 0 where no one record shows it.',
    }),
    producer: Type.String({ description: 'Whose record it is, where that is known; else empty.' }),
    detail: Type.String({ description: 'In words, with the numbers.' }),
  },
  { description: 'One thing that is wrong.' },
);
export type Finding = Readonly<Static<typeof FindingSchema>>;

const Count = (description: string) => Type.Integer({ minimum: 0, description });
const Sequence = Type.Integer({ minimum: 0 });

const Digest = Type.String({ pattern: '^[0-9a-f]{64}$' });

export const VerificationSchema = Type.Object(
  {
    ok: Type.Boolean({ description: 'Nothing is wrong: there is no finding.' }),
    records: Count('Records that were read.'),
    firstSeq: Type.Integer({ minimum: 0, description: 'Begin of the range.' }),
    lastSeq: Type.Integer({ minimum: 0, description: 'End of the range.' }),
    commands: Count('Of the records.'),
    events: Count('Of the records.'),
    results: Count('Of the records.'),
    producers: Count('Names that numbered records.'),
    missing: Count(
      'Findings: sequences, numbers of a producer, copies or acknowledged records that are not there.',
    ),
    duplicated: Count('Findings: numbers, copies or lines of a ledger that are there twice.'),
    reordered: Count('Findings: numbers, epochs or commands of an agent out of their order.'),
    unanswered: Count('Commands without a result, the young ones too, which are no findings.'),
    answeredTwice: Count('Findings: results of commands that have one.'),
    orphanEvents: Count('Findings: events and commands that no decision promises.'),
    unattributed: Count('Findings: records that cannot be what they say, or of nobody.'),
    stateMismatches: Count('Findings: snapshots that are not what the log gives.'),
    digest: Type.String({
      description: 'SHA-256 over all records of the range in order: docs/replay.md#the-digest.',
    }),
    seconds: Type.Number({
      minimum: 0,
      description: 'Of reading and checking the records, without the snapshots.',
    }),
    findings: Type.Immutable(Type.Array(FindingSchema, { description: 'The first of them.' })),
    findingsTotal: Count('Findings in all, listed or not.'),
    forbidden: Count('Findings: copies that a result promises and its module may not have.'),
    callsDiffer: Count('Findings: results whose handler says that it made other calls than the log has.'),
    altered: Count('Findings: records that are not what they were, or not what was decided.'),
    epochs: Count('Of the records.'),
    waiting: Count('Of the commands and copies that are not there yet: too young to be called missing.'),
    before: Count('Results and copies whose commands stand before the range: nothing can be said of them.'),
    ledger: Count('Lines of the ledger.'),
    states: Type.Immutable(
      Type.Array(
        Type.Object({
          module: Type.String(),
          agents: Count('Agents whose snapshots were compared.'),
        }),
        { description: 'Modules whose snapshots are what the log gives.' },
      ),
    ),
    notes: Type.Immutable(Type.Array(Type.String(), { description: 'What was not looked at, and why.' })),
    logId: Type.String({ description: 'Identity of the log.' }),
  },
  { description: 'What `replay verify` found.' },
);
export type Verification = Readonly<Static<typeof VerificationSchema>>;

export const LedgerEntrySchema = Type.Union(
  [
    Type.Object({
      id: Type.String({ description: 'Tally-Id of what was sent.' }),
      seq: Type.Integer({ minimum: 1 }),
      subject: Type.Optional(Type.String()),
    }),
    Type.Object({
      subject: Type.String({
        description: 'As it was published: without the sender that the log has behind it.',
      }),
      seq: Type.Integer({ minimum: 1 }),
    }),
  ],
  { description: 'A line of a ledger: what was acknowledged, and at which sequence.' },
);
export type LedgerEntry = Readonly<Static<typeof LedgerEntrySchema>>;

/** What a certificate says, in the words that are signed. */
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
    findings: Count('What was wrong when it was issued.'),
    digest: Digest,
    segments: Type.Immutable(
      Type.Array(Type.Immutable(Type.Tuple([Type.Integer({ minimum: 1 }), Digest])), {
        description:
          'First sequence and digest of each part; the parts are those of docs/replay.md#the-digest.',
      }),
    ),
  },
  { description: 'What a certificate states.' },
);
export type Statement = Readonly<Static<typeof StatementSchema>>;

export const CertificateSchema = Type.Object(
  {
    statement: Type.String({
      description: 'A statement as JSON: exactly these characters, in UTF-8, are signed.',
    }),
    publicKey: Type.String({ description: 'Ed25519, 32 bytes, base64.' }),
    signature: Type.String({ description: 'Ed25519, 64 bytes, base64.' }),
  },
  { description: 'A signed statement about a range of a log.' },
);
export type Certificate = Readonly<Static<typeof CertificateSchema>>;
