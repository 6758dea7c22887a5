import Type, { type Static } from 'typebox';

/**
 * The stream of what operators did and of what was refused. The broker alone writes it. It is a separate stream: the
 * log forgets nothing, and refusals are made by those who may not write to the log.
 */
export const AUDIT = 'AUDIT';

/** All of its subjects: `audit.<principal>.<kind>`. A kind has a dot, so it has two parts. */
export const ALL_AUDIT = 'audit.>';

/** The operator's acts that are recorded. Each is the command that a person types. */
export const ACTS = [
  'module.load',
  'module.unload',
  'module.reload',
  'module.remove',
  'token.create',
  'token.change',
  'token.rotate',
  'token.revoke',
  'schedule.cancel',
  'dead.redrive',
  'command.restart',
  'data.reveal',
  'agent.erase',
  'config.set',
  'config.unset',
  'config.reveal',
  'burst.start',
  'broker.start',
  'broker.stop',
] as const;
export type ActKind = (typeof ACTS)[number];

/** The codes of refusals that are recorded: who asks may not, or asks for too much. */
export const AUDITED_CODES = ['NOT_ALLOWED', 'CALLER_FORBIDDEN', 'OVERLOADED', 'SERVER_REFUSED'] as const;
export type AuditedCode = (typeof AUDITED_CODES)[number];

export const REFUSED = 'refused';

/** The account of acts that the broker itself makes. */
export const BY_BROKER = 'broker';
/** In the place of an account: a client with a credential that the server does not know. */
export const BY_UNKNOWN = 'unknown';

/** A text of a sender's making is cut to so many characters. */
export const MAX_AUDIT_TEXT = 256;

export const AuditRecordSchema = Type.Object(
  {
    time: Type.String({ description: 'When it happened, RFC 3339.' }),
    principal: Type.String({
      description: 'The account that asked, as the sender of its commands; `unknown`: a bad credential.',
    }),
    kind: Type.String({ description: 'The act, such as `module.load`, or `refused.` with the code.' }),
    outcome: Type.String({ description: '`ok`, or the code of the error.' }),
    target: Type.Optional(Type.String({ description: 'What it was about: a module, a token, a subject.' })),
    detail: Type.Optional(Type.String({ description: 'More about it, for people.' })),
    log: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Sequence in the log of the command with all of it.' }),
    ),
    count: Type.Optional(
      Type.Integer({ minimum: 2, description: 'So many refusals of this kind, in one record.' }),
    ),
    since: Type.Optional(Type.String({ description: 'When the first of them was, RFC 3339.' })),
    settings: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: 'The settings of a start.' }),
    ),
  },
  { description: 'A record of the stream AUDIT.' },
);
export type AuditRecord = Readonly<Static<typeof AuditRecordSchema>>;

/** A record, with its sequence in the stream. */
export type AuditLine = AuditRecord & { readonly seq: number };

export const auditSubject = ({ principal, kind }: Pick<AuditRecord, 'principal' | 'kind'>): string =>
  `audit.${principal}.${kind}`;

/** The most records of one reply to `ops.audit.list`. */
export const MAX_AUDIT_PAGE = 200;

export const AuditRequestSchema = Type.Object(
  {
    principal: Type.Optional(
      Type.String({ maxLength: 64, description: 'Only of this account or principal.' }),
    ),
    kind: Type.Optional(
      Type.String({ maxLength: 64, description: 'Only of this kind, or of the kinds that begin with it.' }),
    ),
    since: Type.Optional(Type.String({ maxLength: 64, description: 'Only from this time on, RFC 3339.' })),
    after: Type.Optional(
      Type.Integer({ minimum: 0, description: 'The records after this one, the oldest first.' }),
    ),
    before: Type.Optional(Type.Integer({ minimum: 1, description: 'The newest before this one.' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_AUDIT_PAGE })),
  },
  { additionalProperties: false },
);
export type AuditRequest = Readonly<Static<typeof AuditRequestSchema>>;

/** Reply to `ops.audit.list`. */
export interface AuditPage {
  /** In the order of the stream. */
  readonly records: readonly AuditLine[];
  /** Where to ask next: `after` or `before`, as asked; null: there is nothing more. */
  readonly next: number | null;
}

/** Whether a record is of the kind `asked`, or of one that begins with its parts. */
export const isOfKind = (kind: string, asked: string): boolean =>
  kind === asked || kind.startsWith(`${asked}.`);

const Count = Type.Integer({ minimum: 0 });

export const AuditStatusSchema = Type.Object(
  {
    records: Count,
    bytes: Type.Integer({ minimum: 0, description: 'Bytes.' }),
    maxBytes: Type.Integer({
      minimum: 0,
      description: 'Bytes. Above it the stream forgets its oldest records.',
    }),
    acts: Type.Integer({ minimum: 0, description: "Operators' acts since the start of the broker." }),
    refused: Type.Record(Type.String(), Count, {
      description: 'Refusals since the start of the broker, by code.',
    }),
    waiting: Type.Integer({ minimum: 0, description: 'Records that the server has not stored yet.' }),
    lost: Type.Integer({ minimum: 0, description: 'Records that had no room while they waited.' }),
  },
  { description: 'What the broker recorded of acts and refusals.' },
);
export type AuditStatus = Readonly<Static<typeof AuditStatusSchema>>;
