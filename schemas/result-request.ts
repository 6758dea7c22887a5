import Type, { type Static } from 'typebox';

/** The subject on which a sender asks for the result of a command again: `result.<sequence>`. */
export const askedResultSubject = (command: number): string => `result.${command}`;

export const ResultRequestSchema = Type.Object(
  {
    command: Type.Optional(
      Type.String({
        maxLength: 256,
        description:
          'MODULE.ACTION[.AGENT] of the command, so that you never get the result of another one: COMMAND_UNKNOWN.',
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'Request for the result of a command on `result.<sequence>`; an empty payload is `{}`.',
  },
);
export type ResultRequest = Readonly<Static<typeof ResultRequestSchema>>;
