import Type, { type Static } from 'typebox';

const Sequence = Type.Integer({ minimum: 1 });
const Time = (description: string) => Type.String({ description: `${description}, RFC 3339.` });

/** How many participants of one conversation are kept. */
export const MAX_PARTICIPANTS = 64;

/** The schema of an open conversation. */
export const OpenConversationSchema = Type.Object(
  {
    conversation: Type.Integer({ minimum: 1, description: 'Sequence of its first record, which names it.' }),
    began: Time('Time when the server stored its first command'),
    last: Type.Object(
      { seq: Sequence, time: Time('Time when the server stored it') },
      { description: 'Its last record.' },
    ),
    commands: Type.Integer({ minimum: 1, description: 'Its commands without a result.' }),
    participants: Type.Immutable(
      Type.Array(Type.String(), {
        maxItems: MAX_PARTICIPANTS,
        description:
          'Receivers (MODULE, or MODULE/AGENT) and senders (a module, guest, operator …), in the order of their appearance.',
      }),
    ),
    more: Type.Boolean({ description: 'true: more participants than the list has.' }),
  },
  { description: 'An open conversation: some of its commands have no result.' },
);
/** An open conversation: some of its commands have no result. */
export type OpenConversation = Readonly<Static<typeof OpenConversationSchema>>;
