import Type, { type Static } from 'typebox';

const Sequence = Type.Integer({ minimum: 1 });
const Time = (description: string) => Type.String({ description: `${description}, RFC 3339.` });

/** Participants that are kept of one conversation. */
export const MAX_PARTICIPANTS = 64;

export const OpenConversationSchema = Type.Object(
  {
    conversation: Type.Integer({ minimum: 1, description: 'Sequence of its first record: its name.' }),
    began: Time('When the first of its commands was stored'),
    last: Type.Object(
      { seq: Sequence, time: Time('When that was stored') },
      { description: 'The last record of it.' },
    ),
    commands: Type.Integer({ minimum: 1, description: 'Commands of it that have no result yet.' }),
    participants: Type.Immutable(
      Type.Array(Type.String(), {
        maxItems: MAX_PARTICIPANTS,
        description:
          'Who was addressed (MODULE, or MODULE/AGENT) and who sent (a module, guest, operator …), in the order of their appearance.',
      }),
    ),
    more: Type.Boolean({ description: 'true: there are more participants than are listed.' }),
  },
  { description: 'A conversation with commands that have no result yet.' },
);
/** A conversation with commands that have no result yet. */
export type OpenConversation = Readonly<Static<typeof OpenConversationSchema>>;
