import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { isErrorCode } from '../../schemas/error-table.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { isName } from '../../schemas/names.js';
import { CODE_PATTERN } from '../../schemas/result.js';
import { mayHandle, mayAddress } from './may-call.js';
import type { Checkable, Checks } from './checks.js';
import type { Decision, Rejection, Send } from './module-shape.js';

/** A decision whose types are checked nowhere but here: what an untyped handler may have returned. */
export type AnyDecision = Decision<unknown, AnyEvent>;

export interface AnyEvent {
  readonly name: string;
  readonly data: unknown;
}

const invalid = (message: string, path?: string): Either<Fault, never> =>
  left(fault('OUTCOME_INVALID', message, path));

/** A schema that accepts everything accepts these too, and JSON leaves them out silently. */
const hasNoJson = (value: unknown): boolean => ['undefined', 'function', 'symbol'].includes(typeof value);

const CODE = new RegExp(CODE_PATTERN);

const checkSend = (manifest: Checkable, checks: Checks, command: Send): Either<Fault, unknown> => {
  const allowed = mayAddress(manifest, command);
  if (isLeft(allowed)) return allowed;
  if (command.agent !== undefined && !isName(command.agent)) {
    return invalid(`${JSON.stringify(command.agent)} is no name of an agent`);
  }
  // The other module decides about it, in its own result.
  return command.module === manifest.name
    ? mayHandle(manifest, checks, { ...command, action: command.name, sender: manifest.name })
    : right(command.data);
};

/**
 * Whether a decision may be recorded: data and events fit the schemas of the manifest, and commands go where it says.
 * Everything wrong is `OUTCOME_INVALID`: the fault is the module's, and recording it would make the log lie.
 */
export const checkDecision = (
  manifest: Checkable,
  checks: Checks,
  action: string,
  decision: AnyDecision,
): Either<Fault, void> => {
  const data = checks.output(action)(decision.data);
  if (isLeft(data)) return data;
  if (hasNoJson(decision.data))
    return invalid(`data of ${manifest.name}.${action} is ${typeof decision.data}`);
  for (const event of decision.events ?? []) {
    const checked = checks.event(event.name)(event.data);
    if (isLeft(checked)) return checked;
    if (hasNoJson(event.data)) return invalid(`event ${manifest.name}.${event.name} has no data`);
  }
  for (const command of decision.commands ?? []) {
    const checked = checkSend(manifest, checks, command);
    if (isLeft(checked)) {
      const { message, path } = checked.left;
      return invalid(`command ${command.module}.${command.name}: ${message}`, path);
    }
  }
  return right(undefined);
};

/** Whether a rejection may be recorded: programs can match on its code, and the action declares it. */
export const checkRejection = (
  manifest: Checkable,
  action: string,
  { code }: Rejection,
): Either<Fault, void> => {
  if (!CODE.test(code))
    return invalid(`the rejection's code ${JSON.stringify(code)} is not like OUT_OF_STOCK`);
  const declared = manifest.actions[action]?.rejections;
  // A refusal of the table is nobody's to declare: a call of the handler may have ended with it.
  if (declared === undefined || declared.includes(code) || isErrorCode(code)) return right(undefined);
  return invalid(
    `${manifest.name}.${action} rejected with ${code}, which its \`rejections\` do not declare: ${declared.join(', ')}`,
  );
};

/** What a handler returned, with the events that it emitted before; a refusal leaves them out. */
export const withEmitted = (returned: unknown, emitted: readonly AnyEvent[]): unknown => {
  const { _tag, right: decision } = (returned ?? {}) as { _tag?: unknown; right?: AnyDecision };
  if (emitted.length === 0 || _tag !== 'Right' || typeof decision !== 'object') return returned;
  return right({ ...decision, events: [...emitted, ...(decision.events ?? [])] });
};
