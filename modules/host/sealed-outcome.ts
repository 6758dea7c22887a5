import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { hasMark } from '../../schemas/mask-spots.js';
import type { ErrorCode } from '../../schemas/error-table.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { encodeJson } from '../../schemas/json.js';
import { MAX_RECORD_BYTES } from '../../schemas/log.js';
import type { Ok, Out } from '../../schemas/result.js';
import { copiesIn } from '../../schemas/result-bytes.js';
import type { CommandSubject } from '../../schemas/subjects.js';
import type { JsonSchema } from '../../schemas/validate.js';
import type { AgentSeals } from '../../store/seals/agent-seals.js';
import type { AnyModule } from '../sdk/module-shape.js';
import { ENVELOPE_BYTES, type Outcome, refusedOutcome } from './handler-outcome.js';

const decoder = new TextDecoder();

/** The schema of what is encrypted by it; undefined: it marks nothing, and the value is stored as it is. */
const marking = (schema: JsonSchema | undefined): JsonSchema | undefined =>
  schema !== undefined && hasMark(schema) ? schema : undefined;

/** A value with its marked parts encrypted. */
type SealValue = (kind: string, schema: JsonSchema | undefined, value: unknown) => E.Either<Fault, unknown>;

const sealingValues =
  (seals: AgentSeals, agent: string, encrypts: boolean): SealValue =>
  (kind, schema, value) =>
    pipe(
      seals.seal(agent, kind, encodeJson(value), encrypts ? marking(schema) : undefined),
      E.map((bytes) => JSON.parse(decoder.decode(bytes)) as unknown),
    );

const sealedOut =
  ({ manifest }: AnyModule, sealValue: SealValue) =>
  (out: Out): E.Either<Fault, Out> => {
    const [kind, module, name = ''] = out.subject.split('.');
    if (kind !== 'evt' || module !== manifest.name) return E.right(out);
    const schema = Object.hasOwn(manifest.events, name) ? manifest.events[name]?.data : undefined;
    return pipe(
      sealValue(`evt.${name}`, schema, out.data),
      E.map((data) => ({ ...out, data })),
    );
  };

const sealedBody = (
  module: AnyModule,
  { name }: CommandSubject,
  sealValue: SealValue,
  { data, out, ...rest }: Ok,
): E.Either<Fault, Ok> => {
  const { actions } = module.manifest;
  const schema = Object.hasOwn(actions, name) ? actions[name]?.output : undefined;
  return pipe(
    E.Do,
    E.bind('data', () => sealValue(`res.${name}`, schema, data)),
    E.bind('out', () => E.traverseArray(sealedOut(module, sealValue))(out ?? [])),
    E.map((sealed) => ({
      ...rest,
      data: sealed.data,
      ...(out === undefined ? {} : { out: [...sealed.out] }),
    })),
  );
};

/** What code threw may quote what it was given. That it threw is stored; its text and its stack are not. */
export const withoutThrownText = (module: AnyModule, { name }: CommandSubject, outcome: Outcome): Outcome => {
  const { stack, ...rest } = outcome;
  if (stack === undefined || outcome.refusal === undefined) return outcome;
  const text = `${module.manifest.name}.${name} threw. Its text is not stored, because the module encrypts`;
  return { ...rest, ...refusedOutcome(fault(outcome.refusal.error.code as ErrorCode, text)) };
};

/**
 * The outcome as it is stored: what the schemas mark is encrypted in its output and its events. Its events stay as they
 * are for the fold, which has the values.
 */
export const sealedOutcome = (
  seals: AgentSeals,
  module: AnyModule,
  subject: CommandSubject,
  outcome: Outcome,
): Outcome => {
  if (outcome.refusal !== undefined) return withoutThrownText(module, subject, outcome);
  const { agent = '' } = subject;
  const name = `${module.manifest.name}.${subject.name}`;
  const sealed = pipe(
    sealedBody(
      module,
      subject,
      sealingValues(seals, agent, module.manifest.encrypt === true),
      JSON.parse(decoder.decode(outcome.body)) as Ok,
    ),
    E.map(encodeJson),
    E.filterOrElse(
      ({ length }) => length <= MAX_RECORD_BYTES - ENVELOPE_BYTES,
      ({ length }) =>
        fault('OUTCOME_TOO_LARGE', `the outcome of ${name} has ${length} bytes with its encrypted values`),
    ),
  );
  if (E.isRight(sealed)) return { ...outcome, body: sealed.right, out: copiesIn(sealed.right) };
  const { code, message } = sealed.left;
  const refused =
    code === 'PAYLOAD_INVALID' ? fault('OUTCOME_INVALID', `what ${name} returned: ${message}`) : sealed.left;
  return {
    ...refusedOutcome(refused),
    ...(outcome.attempts === undefined ? {} : { attempts: outcome.attempts }),
  };
};
