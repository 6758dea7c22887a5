import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { MAX_PAYLOAD_BYTES } from '../../schemas/log.js';
import { type ActionManifest, limitsOf, takesAgent } from '../../schemas/manifest.js';
import { type Address, parseAddress } from '../../schemas/subjects.js';
import type { ModuleDirectory, ServedModule } from './directory.js';
import type { SignedSubject } from './signed-subject.js';

/** A call that may be recorded. What its payload says is the module's to judge, and the log's to remember. */
export interface AdmittedCall {
  readonly address: Address;
  /** Absent for a module that is not known; its command is answered in the log. */
  readonly module: ServedModule | undefined;
  /** Who calls, as the server authenticated it. */
  readonly sender: string;
}

/** The same of a module that is known. */
export interface AdmittedCommand extends AdmittedCall {
  readonly module: ServedModule;
  readonly action: ActionManifest;
}

/** What admission asks of the list of modules. */
type KnownModules = Pick<ModuleDirectory, 'find'>;

/** While a module is reloaded its calls are recorded, and wait for its next process. */
const takesCalls = ({ state, stopping, reloading }: ServedModule): boolean =>
  reloading || ((state === 'loaded' || state === 'loading') && !stopping);

/** An action that the manifest declares; every object has a `constructor`, and that is no action. */
export const actionOf = ({ manifest }: ServedModule, name: string): ActionManifest | undefined =>
  Object.hasOwn(manifest.actions, name) ? manifest.actions[name] : undefined;

/** A handler calls only while its command has no result. */
export const causeNotOpen = (cause: number, module: string): Fault =>
  fault('HEADER_INVALID', `${HEADER.cause} ${cause} is no open command of ${module}`);

export const moduleUnknown = (module: string): Fault =>
  fault(
    'MODULE_UNKNOWN',
    `there is no module ${module.slice(0, 64)}; \`tallystick module list\` shows the operator all of them`,
  );

export const actionUnknown = ({ manifest }: ServedModule, action: string): Fault => {
  const known = Object.keys(manifest.actions).join(', ');
  return fault('ACTION_UNKNOWN', `${manifest.name} has no action ${action}; it has ${known}`);
};

/** The request of a command: `subject` is MODULE.ACTION[.AGENT]. */
export interface CommandRequest extends SignedSubject {
  readonly payloadBytes: number;
}

/** Refuses what can become no command of a module that is known, whether or not that module runs. */
export const admitCommand = (
  { subject, sender, payloadBytes }: CommandRequest,
  directory: KnownModules,
): E.Either<Fault, AdmittedCommand> => {
  const parsed = parseAddress(subject);
  if (E.isLeft(parsed)) return parsed;
  const address = parsed.right;
  const module = directory.find(address.module);
  if (module === undefined) return E.left(moduleUnknown(address.module));
  const action = actionOf(module, address.name);
  if (action === undefined) {
    return E.left(actionUnknown(module, address.name));
  }
  const named = `${address.module}.${address.name}`;
  if (takesAgent(action) && address.agent === undefined) {
    return E.left(fault('AGENT_REQUIRED', `${named} is addressed to an agent: call.${named}.AGENT`));
  }
  if (!takesAgent(action) && address.agent !== undefined) {
    return E.left(fault('AGENT_UNEXPECTED', `${named} is not addressed to an agent: call.${named}`));
  }
  if (action.callers === 'self' && sender !== address.module) {
    return E.left(fault('CALLER_FORBIDDEN', `${named} is for ${address.module} itself only`));
  }
  if (action.callers === 'events') {
    return E.left(fault('CALLER_FORBIDDEN', `${named} takes events from the broker only`));
  }
  const limit = Math.min(limitsOf(module.manifest).payloadBytes, MAX_PAYLOAD_BYTES);
  if (payloadBytes > limit) {
    return E.left(
      fault('PAYLOAD_TOO_LARGE', `the payload has ${payloadBytes} bytes, ${address.module} takes ${limit}`),
    );
  }
  return E.right({ address, module, action, sender });
};

/**
 * Refuses what cannot become a command or what no module would answer. The caller gets the refusal at once, and
 * nothing is stored. All else is recorded, also what its handler will reject.
 */
export const admitCall = (
  request: CommandRequest,
  directory: KnownModules,
): E.Either<Fault, AdmittedCall> => {
  const admitted = admitCommand(request, directory);
  if (E.isLeft(admitted) || takesCalls(admitted.right.module)) return admitted;
  const { address, module } = admitted.right;
  const is = module.stopping ? 'about to stop' : module.state;
  return E.left(
    fault(
      'MODULE_UNAVAILABLE',
      `module ${address.module} is ${is}; send cmd.${address.module}.${address.name} to have it handled once it is back`,
    ),
  );
};

/**
 * The same for a call that a handler makes: refused only for what is wrong with the call itself, and so again in every
 * run. All else is recorded and answered in the log, also that a module is not there or the sender may not: a handler
 * that runs again must get the answers it got before, and what was not recorded could be answered otherwise.
 */
export const admitHandlerCall = (
  { subject, sender, payloadBytes }: CommandRequest,
  directory: KnownModules,
): E.Either<Fault, AdmittedCall> => {
  const parsed = parseAddress(subject);
  if (E.isLeft(parsed)) return parsed;
  if (payloadBytes > MAX_PAYLOAD_BYTES) {
    const text = `the payload has ${payloadBytes} bytes, the log takes ${MAX_PAYLOAD_BYTES}`;
    return E.left(fault('PAYLOAD_TOO_LARGE', text));
  }
  return E.right({
    address: parsed.right,
    module: directory.find(parsed.right.module),
    sender,
  });
};
