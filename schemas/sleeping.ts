import Type, { type Static } from 'typebox';

const Sequence = Type.Integer({ minimum: 1 });
const OrNull = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

/** The schema of a wait of a handler that is not over. */
export const SleepingSchema = Type.Object(
  {
    command: Type.Integer({ minimum: 1, description: 'Sequence of the command whose handler waits.' }),
    call: Type.Integer({
      minimum: 1,
      description: 'Number of the wait among the calls and steps of the handler.',
    }),
    module: Type.String(),
    action: Type.String(),
    agent: OrNull('null if the action takes no agent.'),
    sender: Type.String({ description: 'Who sent the command.' }),
    conversation: Sequence,
    waitsFor: Type.Enum(['sleep', 'signal', 'promise']),
    signal: OrNull('The name of the signal; null: it waits for none.'),
    since: Type.String({ description: 'RFC 3339 time at which the wait began.' }),
    until: OrNull('RFC 3339 time at which it is due; null: never.'),
  },
  { description: 'A wait of a handler that is not over.' },
);
/** A wait of a handler that is not over. */
export type Sleeping = Readonly<Static<typeof SleepingSchema>>;
