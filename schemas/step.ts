import Type, { type Static } from 'typebox';
import { isDeeperThan, MAX_STORED_DEPTH } from './json-depth.js';
import { MAX_PAYLOAD_BYTES } from './log.js';

/** The most characters of a step's name. */
const MAX_NAME = 128;
/** The most attempts of a step. */
export const MAX_STEP_ATTEMPTS = 1_000;

const Attempts = Type.Integer({ minimum: 1, description: 'How often the function ran.' });
const Name = Type.String({ description: 'The name that the handler gave it.' });

/**
 * What a handler did outside, as its record has it: the value that the function returned, or how it failed after its
 * attempts. See docs/decisions/0084.
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
]);
/** The body of a step's record. */
export type Step = Static<typeof StepSchema>;

// biome-ignore lint/suspicious/noControlCharactersInRegex: a name is shown as it is
const PRINTABLE = /^[^\u0000-\u001f\u007f-\u009f]+$/;

/** Whether a handler may give a step this name. */
export const isStepName = (name: unknown): name is string =>
  typeof name === 'string' && name.length <= MAX_NAME && PRINTABLE.test(name);

/** Whether the body of a step fits in a record. */
export const isStorableStep = (body: Uint8Array): boolean =>
  body.length <= MAX_PAYLOAD_BYTES && !isDeeperThan(body, MAX_STORED_DEPTH);
