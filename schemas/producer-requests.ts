import Type, { type Static } from 'typebox';
import { DurabilitySchema } from './log.js';
import { NAME_PATTERN, OWNER_MARK } from './names.js';

/**
 * How a program outside becomes a producer of its own: requests on `producer.…`, exported by the broker to the guest and
 * the operator. The account that asks is put before the name, as the server authenticated it.
 */
export const PRODUCER = {
  /** Shuts the epoch before it out, where something of that one has to be looked for. */
  fence: 'producer.fence',
  /** What of an epoch is stored, a page at a time. */
  stored: 'producer.stored',
  /** Opens an epoch. */
  open: 'producer.open',
} as const;

export const PRODUCER_SUBJECTS = 'producer.*';
/** The same within the account of the log: people's requests have their account behind the verb. */
export const SIGNED_PRODUCER_SUBJECTS = 'producer.*.*';

/** Records that a program outside may have on their way. */
export const SEND_WINDOW = 1_000;

/** The producer that a name is when this account asks for it. */
export const producerOf = (account: string, name: string): string => `${account}${OWNER_MARK}${name}`;

const Name = Type.String({ pattern: NAME_PATTERN, description: 'What the program calls its producer.' });
const Sequence = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** The account that a request is made for. */
const For = {
  account: Type.Optional(
    Type.String({
      pattern: NAME_PATTERN,
      description:
        'A module whose events are written. Only from within the account of the log, by a program that is trusted; ' +
        'anybody else writes as the account that the server has authenticated.',
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
      'true: take the producer over, whoever has it. false: EPOCH_LOST if another instance has it by now.',
  }),
};

export const FenceRequestSchema = Type.Object(Claim, {
  description: 'Shuts the epoch before it out: from then on what is stored of that one can be read for good.',
});
export type FenceRequest = Readonly<Static<typeof FenceRequestSchema>>;

export const FenceReplySchema = Type.Object({
  fence: Type.Integer({ minimum: 1, description: 'No record of an earlier epoch stands above this.' }),
});
export type FenceReply = Readonly<Static<typeof FenceReplySchema>>;

export const StoredRequestSchema = Type.Object(
  {
    ...For,
    name: Name,
    epoch: Type.Integer({ ...Sequence, description: 'Whose records are asked for.' }),
    fromSeq: Type.Integer({ ...Sequence, description: 'Where to begin: behind what is settled.' }),
    toSeq: Type.Integer({ ...Sequence, description: 'Where to end: at the fence.' }),
  },
  { description: 'Asks which records of an epoch are in the log, and where.' },
);
export type StoredRequest = Readonly<Static<typeof StoredRequestSchema>>;

export const StoredReplySchema = Type.Object({
  stored: Type.Immutable(
    Type.Array(Type.Immutable(Type.Tuple([Sequence, Sequence])), {
      description: 'Number and sequence of each record that was found, in the order of the log.',
    }),
  ),
  readTo: Type.Integer({ minimum: 0, description: 'Below toSeq: ask again from behind it.' }),
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
          'How the epoch before ended: the highest number stored, and those below that a crash left out; null when ' +
          'nothing of it was found. It goes into the log as it is given.',
      },
    ),
  },
  { description: 'Opens an epoch; every earlier one of this producer is shut out.' },
);
export type OpenRequest = Readonly<Static<typeof OpenRequestSchema>>;

export const OpenReplySchema = Type.Object({
  producer: Type.String({ description: 'What identities begin with: `<account>~<name>`.' }),
  epoch: Type.Integer({ minimum: 1, description: 'Sequence of `epoch.<producer>`; the fence.' }),
  durability: DurabilitySchema,
  window: Type.Optional(
    Type.Integer({
      minimum: 1,
      description:
        'Records that may be on their way, each by itself: the broker makes the batches. Absent for a program within the ' +
        'account of the log, which writes to it directly.',
    }),
  ),
});
export type OpenReply = Readonly<Static<typeof OpenReplySchema>>;
