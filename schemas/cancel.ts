import Type, { type Static } from 'typebox';
import { type Fault, fault } from './errors.js';
import { parseSequence } from './identity.js';
import { type Refusal, refusal } from './result.js';

/** The subject on which a sender cancels a command: `cancel.<sequence>`. */
export const cancelRequestSubject = (command: number): string => `cancel.${command}`;

/** The most calls of one handler that a request cancels with it. */
export const MAX_CHILDREN = 2_000;

const Sequence = Type.Integer({ minimum: 1 });

/** The schema of the body of a record that cancels a command. See docs/decisions/0094. */
export const CancelSchema = Type.Object(
  { by: Type.String({ description: 'The account that cancelled the command.' }) },
  { description: 'Body of a record on `cancel.<module>.<action>[.<agent>]`; its cause is the command.' },
);

export const CancelRequestSchema = Type.Object(
  {
    command: Type.Optional(
      Type.String({
        maxLength: 256,
        description: 'MODULE.ACTION[.AGENT] of the command, so that you never cancel another one.',
      }),
    ),
    children: Type.Optional(
      Type.Boolean({ description: 'true: first cancels the calls of its handler that have no result.' }),
    ),
  },
  {
    additionalProperties: false,
    description: 'Request to cancel a command on `cancel.<sequence>`; an empty payload is `{}`.',
  },
);
export type CancelRequest = Readonly<Static<typeof CancelRequestSchema>>;

/** The schema of what a request to cancel a command came to. */
export const CancelledSchema = Type.Object(
  {
    command: Sequence,
    cancel: Type.Integer({ minimum: 1, description: 'Sequence of the record that cancels the command.' }),
    already: Type.Boolean({ description: 'An earlier request had cancelled it.' }),
    children: Type.Immutable(
      Type.Array(Sequence, {
        description: 'Commands that were cancelled with it, those of other handlers too.',
      }),
    ),
  },
  { description: '`data` of the reply to a request on `cancel.<sequence>`.' },
);
/** What a request to cancel a command came to: the record is stored. */
export type Cancelled = Readonly<Static<typeof CancelledSchema>>;

/** A cancelled command without a result, as its module has to know it. */
export const CancelledCommandSchema = Type.Object({
  command: Sequence,
  cancel: Type.Integer({ minimum: 1, description: 'Sequence of the record that cancels it.' }),
  children: Type.Optional(
    Type.Immutable(Type.Array(Sequence, { description: 'Its calls that were cancelled before it.' })),
  ),
});
export type CancelledCommand = Readonly<Static<typeof CancelledCommandSchema>>;

/** `Tally-Children`: calls of the handler that were cancelled before it. */
export const childrenText = (children: readonly number[]): string => children.join(',');

/** The inverse of {@link childrenText}. What is no sequence is left out. */
export const childrenIn = (text: string | undefined): readonly number[] =>
  (text ?? '').split(',').flatMap((part) => parseSequence(part) ?? []);

/** What a handler, and the sender of a command, gets of a cancel. */
export const cancelledFault = (cancel: number): Fault =>
  fault('CANCELLED', `the command was cancelled by record ${cancel}`);
export const cancelledRefusal = (cancel: number): Refusal => refusal(cancelledFault(cancel));
