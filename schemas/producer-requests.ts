import Type, { type Static } from 'typebox';
import { DurabilitySchema } from './log.js';
import { NAME_PATTERN, OWNER_MARK } from './names.js';

/**
 * The requests by which an outside program becomes a producer: `producer.…`, which the broker exports to the guest
 * and the operator. The server puts the authenticated account before the name.
 */
export const PRODUCER = {
  /** Fences the epoch before it, if that one must be searched. */
  fence: 'producer.fence',
  /** Which records of an epoch are stored, a page at a time. */
  stored: 'producer.stored',
  /** Opens an epoch. */
  open: 'producer.open',
} as const;

export const PRODUCER_SUBJECTS = 'producer.*';
/** The same subjects within the account of the log. In requests of people, their account follows the verb. */
export const SIGNED_PRODUCER_SUBJECTS = 'producer.*.*';

/** Records that an outside program may have in flight. */
export const SEND_WINDOW = 1_000;

/** The full name of a producer that this account requests. */
export const producerOf = (account: string, name: string): string => `${account}${OWNER_MARK}${name}`;

const Name = Type.String({ pattern: NAME_PATTERN, description: "The program's name for its producer." });
const Sequence = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** The account of a request. */
const For = {
  account: Type.Optional(
    Type.String({
      pattern: NAME_PATTERN,
      description:
        'The module whose events the program writes. Only for a trusted program within the account of the log; any other ' +
        'program writes as its authenticated account.',
    }),
  ),
};

const Claim = {
  ...For,
  name: Name,
  instance: Type.String({
    pattern: NAME_PATTERN,
    description: 'Different for each process, the same in all its requests.',
  }),
  takeover: Type.Boolean({
    description:
      'true: take the producer over from any instance. false: EPOCH_LOST if another instance has it.',
  }),
};

export const FenceRequestSchema = Type.Object(Claim, {
  description: 'Fences the epoch before it. After that, its stored records do not change any more.',
});
export type FenceRequest = Readonly<Static<typeof FenceRequestSchema>>;

export const FenceReplySchema = Type.Object({
  fence: Type.Integer({ minimum: 1, description: 'No record of an earlier epoch has a higher sequence.' }),
});
export type FenceReply = Readonly<Static<typeof FenceReplySchema>>;

export const StoredRequestSchema = Type.Object(
  {
    ...For,
    name: Name,
    epoch: Type.Integer({ ...Sequence, description: 'The epoch of the records.' }),
    fromSeq: Type.Integer({ ...Sequence, description: 'Start: after the settled records.' }),
    toSeq: Type.Integer({ ...Sequence, description: 'End: the fence.' }),
  },
  { description: "Requests the sequences of an epoch's records in the log." },
);
export type StoredRequest = Readonly<Static<typeof StoredRequestSchema>>;

export const StoredReplySchema = Type.Object({
  stored: Type.Immutable(
    Type.Array(Type.Immutable(Type.Tuple([Sequence, Sequence])), {
      description: 'Number and sequence of each found record, in the order of the log.',
    }),
  ),
  readTo: Type.Integer({
    minimum: 0,
    description: 'If it is below toSeq, ask again from the next sequence.',
  }),
});
export type StoredReply = Readonly<Static<typeof StoredReplySchema>>;

export const OpenRequestSchema = Type.Object(
  {
    ...Claim,
    previous: Type.Union(
      [
        Type.Object({
          epoch: Sequence,
          last: Sequence,
          holes: Type.Immutable(Type.Array(Sequence, { maxItems: 10_000 })),
        }),
        Type.Null(),
      ],
      {
        description:
          'The end of the epoch before: the highest stored number, and lower numbers that a crash left out; null if nothing ' +
          'of it was found. It goes into the log unchanged.',
      },
    ),
  },
  { description: 'Opens an epoch and fences every earlier one of this producer.' },
);
export type OpenRequest = Readonly<Static<typeof OpenRequestSchema>>;

export const OpenReplySchema = Type.Object({
  producer: Type.String({ description: 'Begin of all identities: `<account>~<name>`.' }),
  epoch: Type.Integer({ minimum: 1, description: 'Sequence of `epoch.<producer>`; the fence.' }),
  durability: DurabilitySchema,
  window: Type.Optional(
    Type.Integer({
      minimum: 1,
      description:
        'Records that may be in flight, each alone: the broker makes the batches. Absent for a program within the account ' +
        'of the log, which writes to the log directly.',
    }),
  ),
});
export type OpenReply = Readonly<Static<typeof OpenReplySchema>>;
