import Type, { type Static } from 'typebox';
import { ResultErrorSchema, type Result } from './result.js';

/**
 * The stream of dead letters: commands that their modules could not handle. Operators look at them and send them
 * again.
 */
export const DEAD = 'DEAD';

const Sequence = Type.Integer({ minimum: 1 });

/** The schema of a dead letter, as a record of the stream DEAD has it. */
export const DeadLetterSchema = Type.Object(
  {
    command: Type.Integer({
      minimum: 1,
      description: 'Sequence of the command, which names the letter.',
    }),
    result: Type.Integer({ minimum: 1, description: 'Sequence of its result.' }),
    time: Type.String({ description: 'Time after the last try, RFC 3339.' }),
    module: Type.String(),
    action: Type.String(),
    agent: Type.Union([Type.String(), Type.Null()]),
    sender: Type.String(),
    conversation: Sequence,
    redrives: Type.Union([Sequence, Type.Null()], {
      description: 'The dead letter that this command redrives; null if a sender sent the command.',
    }),
    attempts: Type.Integer({ minimum: 1, description: 'Number of tries.' }),
    error: ResultErrorSchema,
    stack: Type.Optional(
      Type.String({
        description:
          'Where the handler threw, or what the process printed before it ended; at most 41 printable lines of 400 characters. ' +
          'Absent if the module did not report it, or if the broker restarted before it wrote the letter.',
      }),
    ),
    payload: Type.Unknown({
      description:
        'The sent payload, as text if it is not JSON; null if it does not fit. The log has all of it.',
    }),
  },
  { description: 'Body of a record of the stream DEAD.' },
);
/** A dead letter: a command that its module could not handle. */
export type DeadLetter = Readonly<Static<typeof DeadLetterSchema>>;

/** A dead letter in a list, without its long parts. */
export type DeadSummary = Omit<DeadLetter, 'payload' | 'stack'> & {
  /** Commands that redrive it. */
  readonly redriven: readonly number[];
};

export interface DeadPage {
  readonly letters: readonly DeadSummary[];
  /** Start of the next page; null after the last. */
  readonly next: number | null;
}

/**
 * A command that redrives a dead letter, with its result. The result is null if it has none, or if the reply is full.
 */
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

/** The new command for each letter to redrive, or the reason why there is none. */
export type RedriveAnswer =
  | { readonly letter: number; readonly command: number }
  | { readonly letter: number; readonly error: DeadLetter['error'] };

/** The most letters in one request to redrive. */
export const MAX_REDRIVE = 100;
