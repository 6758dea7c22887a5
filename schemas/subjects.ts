import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from './errors.js';
import { isName, isProducerName } from './names.js';

/**
 * The subjects of the log. `cmd` has its sender as the last part; the server's account import puts it there.
 *
 *     cmd.<module>.<action>[.<agent>].<sender>    res.<module>.<action>[.<agent>]
 *     evt.<module>.<event>[.<agent>]              epoch.<producer>
 *     step.<module>.<action>[.<agent>]            wake.<module>.<action>[.<agent>]
 *     signal.<module>.<name>.<agent>              cancel.<module>.<action>[.<agent>]
 *     restart.<module>.<action>[.<agent>]
 */
export interface CommandSubject {
  readonly kind: 'cmd';
  readonly module: string;
  readonly name: string;
  readonly agent?: string;
  readonly sender: string;
}

/** The subject of a record of the log, in its parts. */
export type LogSubject =
  | CommandSubject
  | {
      readonly kind: 'res' | 'evt' | 'step' | 'wake' | 'cancel' | 'restart' | 'signal';
      readonly module: string;
      readonly name: string;
      readonly agent?: string;
    }
  | { readonly kind: 'epoch'; readonly producer: string };

/**
 * The kind of a record: command, result, event, step or wake of a handler, cancel or restart of a
 * command, signal, or epoch.
 */
export type RecordKind = LogSubject['kind'];

/** The address of a call, `call.<module>.<action>[.<agent>]`, or of a command before the server adds its sender. */
export interface Address {
  readonly module: string;
  readonly name: string;
  readonly agent?: string;
}

const optional = (agent: string | undefined): { agent?: string } => (agent === undefined ? {} : { agent });

/** An address as people write it: `MODULE.ACTION[.AGENT]`. */
export const addressText = ({ module, name, agent }: Address): string =>
  agent === undefined ? `${module}.${name}` : `${module}.${name}.${agent}`;

/** The subject of a result: `res.MODULE.ACTION[.AGENT]`. */
export const resultSubject = (address: Address): string => `res.${addressText(address)}`;
/** The subject of an event: `evt.MODULE.EVENT[.AGENT]`. */
export const eventSubject = (address: Address): string => `evt.${addressText(address)}`;
/** The subject of a step of the handler of a command: `step.MODULE.ACTION[.AGENT]`. */
export const stepSubject = (address: Address): string => `step.${addressText(address)}`;
/** The subject of a wake of the handler of a command: `wake.MODULE.ACTION[.AGENT]`. */
export const wakeSubject = (address: Address): string => `wake.${addressText(address)}`;
/** The subject of a record that cancels a command: `cancel.MODULE.ACTION[.AGENT]`. */
export const cancelSubject = (address: Address): string => `cancel.${addressText(address)}`;
/** The subject of a record that restarts a command: `restart.MODULE.ACTION[.AGENT]`. */
export const restartSubject = (address: Address): string => `restart.${addressText(address)}`;
/** The subject to which a sender publishes; see {@link storedCommandSubject} for the subject in the log. */
export const commandSubject = (address: Address): string => `cmd.${addressText(address)}`;
/** The subject of a stored command, with its sender: `cmd.MODULE.ACTION[.AGENT].SENDER`. */
export const storedCommandSubject = (address: Address, sender: string): string =>
  `cmd.${addressText(address)}.${sender}`;
/** The subject of a call: `call.MODULE.ACTION[.AGENT]`. */
export const callSubject = (address: Address): string => `call.${addressText(address)}`;
/** The subject of a request for a state: `state.MODULE[.AGENT]`. Without an agent it is that of the module itself. */
export const stateSubject = (module: string, agent = ''): string =>
  agent === '' ? `state.${module}` : `state.${module}.${agent}`;
/** A dead letter, in a separate stream: one subject for each command, so that the server takes it once. */
export const deadSubject = (address: Address, command: number): string =>
  `dead.${addressText(address)}.${command}`;
/** The subject of the epoch records of a producer: `epoch.PRODUCER`. */
export const epochSubject = (producer: string): string => `epoch.${producer}`;

/** The subject of a record of the log, from its parts. */
export const buildSubject = (subject: LogSubject): string => {
  switch (subject.kind) {
    case 'cmd':
      return storedCommandSubject(subject, subject.sender);
    case 'res':
      return resultSubject(subject);
    case 'evt':
      return eventSubject(subject);
    case 'step':
      return stepSubject(subject);
    case 'wake':
      return wakeSubject(subject);
    case 'cancel':
      return cancelSubject(subject);
    case 'restart':
      return restartSubject(subject);
    case 'signal':
      return `signal.${addressText(subject)}`;
    case 'epoch':
      return epochSubject(subject.producer);
  }
};

/**
 * Splits a subject of the log by its form alone. Its parts may be no names: the server has stored
 * `cmd.accounts.depo$it.x.guest`, and the command must get a result. So the reader decides with {@link isName}.
 */
export const splitSubject = (text: string): LogSubject | undefined => {
  const [kind, a, b, c, d, ...more] = text.split('.');
  if (more.length > 0 || a === undefined || a === '') return undefined;
  switch (kind) {
    case 'cmd':
      if (b === undefined || c === undefined) return undefined;
      return d === undefined
        ? { kind, module: a, name: b, sender: c }
        : { kind, module: a, name: b, agent: c, sender: d };
    case 'res':
    case 'evt':
    case 'step':
    case 'wake':
    case 'cancel':
    case 'restart':
    case 'signal':
      if (b === undefined || d !== undefined) return undefined;
      return { kind, module: a, name: b, ...optional(c) };
    case 'epoch':
      return b === undefined ? { kind, producer: a } : undefined;
    default:
      return undefined;
  }
};

const parts = (subject: LogSubject): readonly string[] =>
  subject.kind === 'epoch'
    ? [subject.producer]
    : [
        subject.module,
        subject.name,
        ...(subject.agent === undefined ? [] : [subject.agent]),
        ...(subject.kind === 'cmd' ? [subject.sender] : []),
      ];

/** Parses a subject of the log; every part must be a name. The inverse of {@link buildSubject}. */
export const parseSubject = (text: string): Either<Fault, LogSubject> => {
  const subject = splitSubject(text);
  if (subject === undefined)
    return left(fault('SUBJECT_INVALID', `${JSON.stringify(text)} is not a subject of the log`));
  const isNamePart = subject.kind === 'epoch' ? isProducerName : isName;
  const bad = parts(subject).find((part) => !isNamePart(part));
  return bad === undefined
    ? right(subject)
    : left(
        fault(
          'NAME_INVALID',
          `${JSON.stringify(bad)} in ${JSON.stringify(text)} is not 1 to 64 of A-Z a-z 0-9 _ -`,
        ),
      );
};

/** Parses `MODULE.ACTION` or `MODULE.ACTION.AGENT`. */
export const parseAddress = (text: string): Either<Fault, Address> => {
  const [module, name, agent, ...more] = text.split('.');
  if (module === undefined || name === undefined || more.length > 0) {
    return left(
      fault('SUBJECT_INVALID', `${JSON.stringify(text)} is not MODULE.ACTION or MODULE.ACTION.AGENT`),
    );
  }
  const address: Address = { module, name, ...optional(agent) };
  const bad = [module, name, ...(agent === undefined ? [] : [agent])].find((part) => !isName(part));
  return bad === undefined
    ? right(address)
    : left(fault('NAME_INVALID', `${JSON.stringify(bad)} is not 1 to 64 of A-Z a-z 0-9 _ -`));
};
