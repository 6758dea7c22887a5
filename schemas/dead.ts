import Type, { type Static } from 'typebox';
import { ResultErrorSchema, type Result } from './result.js';

/** The stream of dead letters: commands that could not be handled, for people to look at and send again. */
export const DEAD = 'DEAD';

const Sequence = Type.Integer({ minimum: 1 });

export const DeadLetterSchema = Type.Object(
  {
    command: Type.Integer({
      minimum: 1,
      description: 'Sequence of the command; what the letter is known by.',
    }),
    result: Type.Integer({ minimum: 1, description: 'Sequence of its result.' }),
    time: Type.String({ description: 'When it was given up, RFC 3339.' }),
    module: Type.String(),
    action: Type.String(),
    agent: Type.Union([Type.String(), Type.Null()]),
    sender: Type.String(),
    conversation: Sequence,
    redrives: Type.Union([Sequence, Type.Null()], {
      description: 'The dead letter that this command was to redrive; null when it was sent by somebody.',
    }),
    attempts: Type.Integer({ minimum: 1, description: 'How often it was tried.' }),
    error: ResultErrorSchema,
    stack: Type.Optional(
      Type.String({
        description:
          'Where the handler threw, or what the process printed before it ended; at most 41 lines of 400 characters, ' +
          'printable. Absent where nobody said it, or where the broker was started again before the letter was written.',
      }),
    ),
    payload: Type.Unknown({
      description: 'As it was sent; as text when it is no JSON; null when it does not fit, the log has it.',
    }),
  },
  { description: 'Body of a record of the stream DEAD.' },
);
export type DeadLetter = Readonly<Static<typeof DeadLetterSchema>>;

/** A dead letter in a list: without what may be long. */
export type DeadSummary = Omit<DeadLetter, 'payload' | 'stack'> & {
  /** Commands that redrive it. */
  readonly redriven: readonly number[];
};

export interface DeadPage {
  readonly letters: readonly DeadSummary[];
  /** Where the next page begins; null behind the last. */
  readonly next: number | null;
}

/** A command that redrives a dead letter, with its result; null while it has none, or where others filled the reply. */
export interface Redriven {
  readonly command: number;
  readonly result: Result | null;
}

export interface DeadDetails extends DeadLetter {
  readonly redriven: readonly {
    readonly command: number;
    /** `open` while it has no result. */
    readonly status: Result['status'] | 'open';
    readonly code?: string;
  }[];
}

/** What became of each letter that was to be redriven: its new command, or why there is none. */
export type RedriveAnswer =
  | { readonly letter: number; readonly command: number }
  | { readonly letter: number; readonly error: DeadLetter['error'] };

/** Letters of one request to redrive, at most. */
export const MAX_REDRIVE = 100;
