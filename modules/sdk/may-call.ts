import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { EVENTS_SENDER } from '../../schemas/heard-events.js';
import { isSealedAction } from '../../schemas/encrypt.js';
import type { Checkable, Checks } from './checks.js';

/** What is known of a command before a handler sees it. */
export interface Admissible {
  readonly action: string;
  /** Empty or absent when the command names none. */
  readonly agent?: string | undefined;
  readonly sender: string;
  readonly data: unknown;
}

/**
 * Whether a command may reach its handler: the action exists, the agent is there or not as it declares, the sender may
 * send it, and the payload fits. One function for the host and for specifications, so that both refuse the same.
 */
export const mayHandle = (
  manifest: Checkable,
  checks: Checks,
  command: Admissible,
): Either<Fault, unknown> => {
  const { action, sender } = command;
  const declared = Object.hasOwn(manifest.actions, action) ? manifest.actions[action] : undefined;
  if (declared === undefined) return checks.input(action)(command.data);
  const hasAgent = command.agent !== undefined && command.agent !== '';
  if (declared.agent !== 'none' && !hasAgent) {
    return left(fault('AGENT_REQUIRED', `${manifest.name}.${action} is addressed to an agent: name one`));
  }
  if (declared.agent === 'none' && hasAgent) {
    return left(
      fault('AGENT_UNEXPECTED', `${manifest.name}.${action} is addressed to the module, not to an agent`),
    );
  }
  if (declared.callers === 'self' && sender !== manifest.name) {
    return left(
      fault('CALLER_FORBIDDEN', `${manifest.name}.${action} is for ${manifest.name} only; ${sender} sent it`),
    );
  }
  if (declared.callers === 'events' && sender !== EVENTS_SENDER) {
    return left(
      fault(
        'CALLER_FORBIDDEN',
        `${manifest.name}.${action} takes events from the broker only; ${sender} sent it`,
      ),
    );
  }
  return checks.input(action)(command.data);
};

/** Whether a module may address an action of another one, or of itself: `DEPENDENCY_UNDECLARED` when it may not. */
export const mayAddress = (
  manifest: Checkable,
  target: { readonly module: string; readonly name: string },
): Either<Fault, void> => {
  if (target.module === manifest.name) {
    const own = Object.hasOwn(manifest.actions, target.name) ? manifest.actions[target.name] : undefined;
    if (own === undefined)
      return left(fault('ACTION_UNKNOWN', `${manifest.name} has no action ${JSON.stringify(target.name)}`));
    return isSealedAction(manifest, own)
      ? left(
          fault(
            'CALLER_FORBIDDEN',
            `the input of ${manifest.name}.${target.name} is encrypted: only people and their programs may send it`,
          ),
        )
      : right(undefined);
  }
  const declared = manifest.dependencies ?? {};
  const actions = Object.hasOwn(declared, target.module) ? declared[target.module] : undefined;
  return actions?.includes(target.name) === true
    ? right(undefined)
    : left(
        fault(
          'DEPENDENCY_UNDECLARED',
          `the manifest of ${manifest.name} does not declare ${target.module}.${target.name} as a dependency`,
        ),
      );
};

/** Whether a handler that runs for `agent` may make a call; its own agent waits for it: `CALL_DEADLOCK`. */
export const mayCall = (
  manifest: Checkable,
  agent: string,
  target: { readonly module: string; readonly name: string; readonly agent?: string },
): Either<Fault, void> => {
  const addressed = mayAddress(manifest, target);
  if (isLeft(addressed)) return addressed;
  return target.module === manifest.name && (target.agent ?? '') === agent
    ? left(
        fault(
          'CALL_DEADLOCK',
          `${target.module}.${target.name} is for ${agent === '' ? 'the module itself' : `agent ${agent}`}, ` +
            'which waits for this very handler',
        ),
      )
    : right(undefined);
};
