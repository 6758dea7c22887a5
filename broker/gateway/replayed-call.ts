import { isRight } from 'fp-ts/lib/Either.js';
import { isSamePayload } from '../../schemas/canonical-json.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { jsonOrText } from '../../schemas/json.js';
import { shownStep, type Step, StepSchema } from '../../schemas/step.js';
import { type Wake, WakeSchema } from '../../schemas/wake.js';
import { splitSubject } from '../../schemas/subjects.js';
import { compileOnUse } from '../../schemas/validate.js';

/** A call of a handler: the subject that its command has in the log, and its payload. */
export interface RequestedCall {
  readonly subject: string;
  readonly data: Uint8Array;
}

/** Where a call stands among those of its handler, and in the log. */
export interface CallPlace {
  readonly cause: number;
  readonly call: number;
  /** Undefined while it is on its way into the log. */
  readonly seq?: number;
}

const checkStep = compileOnUse<Step>(StepSchema, 'STEP_INVALID', 'step');

/** Of a payload that is shown. */
const MAX_SHOWN = 200;

const decoder = new TextDecoder();

const shownPayload = (data: Uint8Array): string => {
  const text = decoder.decode(data.subarray(0, MAX_SHOWN));
  return data.length > MAX_SHOWN ? `${text}… (${data.length} bytes)` : text;
};

/** The step that a record is; undefined if it is none, or cannot be read. */
export const stepIn = ({ subject, data }: RequestedCall): Step | undefined => {
  if (splitSubject(subject)?.kind !== 'step') return undefined;
  const step = checkStep(jsonOrText(data));
  return isRight(step) ? step.right : undefined;
};

const checkWake = compileOnUse<Wake>(WakeSchema, 'WAIT_INVALID', 'wake');

/** The wake that a record is; undefined if it is none, or cannot be read. */
export const wakeIn = ({ subject, data }: RequestedCall): Wake | undefined => {
  if (splitSubject(subject)?.kind !== 'wake') return undefined;
  const wake = checkWake(jsonOrText(data));
  return isRight(wake) ? wake.right : undefined;
};

/** What a record of a handler is, for people. */
export const shownCall = ({ subject, data }: RequestedCall): string => {
  const parsed = splitSubject(subject);
  const step = stepIn({ subject, data });
  if (step !== undefined) return shownStep(step);
  const what =
    parsed?.kind === 'cmd'
      ? `${parsed.module}.${parsed.name}${parsed.agent === undefined ? '' : ` of ${parsed.agent}`}`
      : subject;
  return `${what} with ${shownPayload(data)}`;
};

const place = ({ cause, call, seq }: CallPlace): string =>
  `call ${call} of command ${cause} is recorded${seq === undefined ? '' : ` at ${seq}`}`;

/**
 * A handler that runs again must ask for what its call of that number was: REPLAY_DIFFERS with both sides where it does
 * not. The order of keys and blanks are no difference; any other value, module, action or agent is.
 */
export const callDiffers = (
  at: CallPlace,
  recorded: RequestedCall,
  asked: RequestedCall,
): Fault | undefined =>
  recorded.subject === asked.subject && isSamePayload(recorded.data, asked.data)
    ? undefined
    : fault(
        'REPLAY_DIFFERS',
        `${place(at)} as ${shownCall(recorded)}; the handler that runs again asks for ${shownCall(asked)}`,
      );

/** The same of a call that could not be recorded at all: what stands in the log was another one. */
export const refusedDiffers = (at: CallPlace, why: Fault): Fault =>
  fault(
    'REPLAY_DIFFERS',
    `${place(at)}; the handler that runs again asks for one that is refused: ${why.code}: ${why.message}`,
  );
