import Type, { type Static } from 'typebox';
import { isDeeperThan, MAX_STORED_DEPTH } from './json-depth.js';
import { MAX_PAYLOAD_BYTES } from './log.js';

/** The most characters of a step's name. */
const MAX_NAME = 128;
/** The most attempts of a step. */
export const MAX_STEP_ATTEMPTS = 1_000;

const Attempts = Type.Integer({ minimum: 1, description: 'How often the function ran.' });
const Name = Type.String({ description: 'The name that the handler gave it.' });

/** A handler waits: it runs again when the log has a wake with the same cause and number. See docs/decisions/0092. */
export const WaitStepSchema = Type.Object({
  name: Type.Enum(['sleep', 'signal', 'promise'], { description: 'What it waits for.' }),
  status: Type.Literal('waiting'),
  signal: Type.Optional(Type.String({ description: 'The name of the signal that ends it.' })),
  promise: Type.Optional(
    Type.String({ description: 'The secret part of the id of the promise that ends it.' }),
  ),
  ms: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'How long the handler asked to sleep, or to wait for the signal at most.',
    }),
  ),
  until: Type.Optional(
    Type.String({
      description: 'RFC 3339 time at which it is due; absent: it waits for the signal for ever.',
    }),
  ),
  shielded: Type.Optional(
    Type.Boolean({
      description: 'true: it is part of a compensation, so a cancel of the command does not end it.',
    }),
  ),
});
/** The body of the record of a wait. */
export type WaitStep = Static<typeof WaitStepSchema>;

/** The command is cancelled, and its handler learned it here. See docs/decisions/0094. */
export const CancelledStepSchema = Type.Object({
  name: Type.String({
    description: 'What the handler asked for: the name of a step, `call MODULE.ACTION[.AGENT]`, or a sleep.',
  }),
  status: Type.Literal('cancelled'),
  cancel: Type.Integer({ minimum: 1, description: 'Sequence of the record that cancels the command.' }),
  attempts: Attempts,
});
/** The body of the record where a handler met the cancel of its command. */
export type CancelledStep = Static<typeof CancelledStepSchema>;

/**
 * What a handler did outside, as its record has it: the value that the function returned, or how it failed after its
 * attempts. Or: at this number the handler learned that its command is cancelled. See docs/decisions/0084 and 0094.
 */
export const StepSchema = Type.Union([
  Type.Object({
    name: Name,
    status: Type.Literal('ok'),
    value: Type.Optional(Type.Unknown({ description: 'What it returned; absent: nothing.' })),
    attempts: Attempts,
  }),
  Type.Object({
    name: Name,
    status: Type.Literal('failed'),
    error: Type.Object({
      code: Type.Enum(['STEP_FAILED', 'STEP_INVALID']),
      message: Type.String(),
    }),
    attempts: Attempts,
  }),
  WaitStepSchema,
  CancelledStepSchema,
]);
/** The body of a step's record. */
export type Step = Static<typeof StepSchema>;
/** A step that has a value, or has failed. */
export type EndedStep = Exclude<Step, WaitStep>;

// biome-ignore lint/suspicious/noControlCharactersInRegex: a name is shown as it is
const PRINTABLE = /^[^\u0000-\u001f\u007f-\u009f]+$/;

const shownWaitStep = ({ name, signal, ms, until }: WaitStep): string =>
  `${name}${signal === undefined ? '' : ` ${signal}`}${ms !== undefined ? ` for ${ms} ms` : until === undefined ? '' : ` until ${until}`}`;

/** A step of a handler, for people. */
export const shownStep = (step: Step): string =>
  step.status !== 'waiting' ? `step ${step.name}` : shownWaitStep(step);

/** Whether a handler may give a step this name. */
export const isStepName = (name: unknown): name is string =>
  typeof name === 'string' && name.length <= MAX_NAME && PRINTABLE.test(name);

/** Whether the body of a step fits in a record. */
export const isStorableStep = (body: Uint8Array): boolean =>
  body.length <= MAX_PAYLOAD_BYTES && !isDeeperThan(body, MAX_STORED_DEPTH);
