import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { EVENTS_SENDER, MOST_IN_CHAIN } from '../../schemas/heard-events.js';
import { parseSequence } from '../../schemas/identity.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { CommandSubject } from '../../schemas/subjects.js';
import type { AnyEvent } from '../sdk/checked-outcome.js';
import type { CompiledModule } from '../sdk/compiled-module.js';
import type { AnyModule, Command, PureAction } from '../sdk/module-shape.js';
import { whileInHand } from './command-in-hand.js';
import type { Effects } from './effects.js';
import type { Parked } from './handler-run.js';
import type { KnownCancels } from './cancels.js';
import { cancelledOutcome, type Outcome, outcomeOf, refusedOutcome, threw } from './handler-outcome.js';
import { deadlineOf, isUrgent, readCommand } from './read-command.js';

type AnyPure = PureAction<unknown, unknown, unknown, AnyEvent>;

/** What handlers see of the configuration. A change puts another value there, and changes none that was there. */
export interface ConfigCell {
  readonly current: unknown;
}

/** What handling a command needs besides the module: no connection and no file. */
export interface CommandHandling extends CompiledModule {
  readonly effects: Pick<Effects, 'run'>;
  readonly state: (agent: string) => unknown;
  /** The configuration of now; undefined: the module declares none. */
  readonly config?: ConfigCell | undefined;
  /** Which commands are cancelled; undefined: none ever is. */
  readonly cancels?: KnownCancels | undefined;
  /** Runs code of the module for a command: a process that ends meanwhile was ended by it. */
  readonly noted: <T>(seq: number, run: () => T) => T;
}

/** A command whose turn it is. */
export interface CommandInTurn {
  readonly subject: CommandSubject;
  readonly message: StoredMessage;
}

export interface TurnOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** A process before this one may have begun with it, or it was woken. */
  readonly isOld: boolean;
  /** Its handler has begun, and has waited: no deadline refuses it any more. */
  readonly isWoken?: boolean;
}

/** Why the delivery of an event is not handled: its chain is a circle. */
const chainProblem = (message: CommandInTurn['message']): Fault | undefined => {
  const length = parseSequence(message.header(HEADER.chain) ?? '') ?? 0;
  if (length <= MOST_IN_CHAIN) return undefined;
  const text = `${length} events led to each other: modules listen in a circle, and ${MOST_IN_CHAIN} are the limit`;
  return fault('CHAIN_TOO_LONG', text);
};

/** Never throws: schemas can have code of the module's own, and payloads are anybody's. */
const readOrRefuse = (
  compiled: CommandHandling,
  { subject, message }: CommandInTurn,
  now: number,
): E.Either<Outcome, Command> => {
  const circle = subject.sender === EVENTS_SENDER ? chainProblem(message) : undefined;
  if (circle !== undefined) return E.left(refusedOutcome(circle));
  try {
    return E.mapLeft(refusedOutcome)(readCommand(compiled, subject, message, now, compiled.config?.current));
  } catch (error) {
    return E.left(threw(`the check of ${compiled.module.manifest.name}.${subject.name}`, error));
  }
};

/** Never throws. */
const decideOutcome = (
  { module, checks }: CompiledModule,
  { decide }: AnyPure,
  action: string,
  command: Command,
  state: unknown,
): Outcome => {
  try {
    return outcomeOf(
      module,
      checks,
      action,
      command,
      whileInHand(command, () => decide(state, command)),
    );
  } catch (error) {
    return threw(`${module.manifest.name}.${action}`, error);
  }
};

/**
 * Checks a command, and runs its handler. A pure handler settles at once. An effectful one settles later, and without
 * an outcome if the module stops first.
 */
export const handleCommand = (
  handling: CommandHandling,
  command: CommandInTurn,
  { now, isOld, isWoken = false }: TurnOptions,
  settle: (outcome: Outcome | Parked | undefined) => void,
): void => {
  const { module, effects, noted } = handling;
  const { subject, message } = command;
  const { name } = subject;
  // The deadline of a handler that may have begun is judged by what the log has of it.
  const mayHaveBegun = isWoken || (isOld && 'run' in (module.actions[name] ?? {}));
  const judgedAt = mayHaveBegun ? Math.min(now, message.timeMs) : now;
  const read = noted(message.seq, () => readOrRefuse(handling, command, judgedAt));
  if (E.isLeft(read)) return settle(read.left);
  const action = module.actions[name];
  if (action === undefined) {
    const text = `${module.manifest.name} has no handler for ${name}`;
    return settle(refusedOutcome(fault('ACTION_UNKNOWN', text)));
  }
  const state = (): unknown => handling.state(read.right.agent);
  if ('run' in action) {
    const [deadline, urgent] = [isWoken ? undefined : deadlineOf(message), isUrgent(message)];
    const isRestart = message.header(HEADER.restart) !== undefined;
    effects.run({ action: name, command: read.right, urgent, deadline, isOld, isRestart, state }, settle);
    return;
  }
  const cancel = handling.cancels?.of(message.seq);
  if (cancel !== undefined) return settle(cancelledOutcome(cancel));
  const before = state();
  settle(noted(message.seq, () => decideOutcome(handling, action as AnyPure, name, read.right, before)));
};

/**
 * Folds an outcome's events before it is stored: one that the module cannot fold would be in the log for ever, and no
 * start could get past it. The second value is what `fold` returned: the state to keep once the outcome is stored.
 */
export const foldOutcome = <Kept>(
  { manifest }: AnyModule,
  action: string,
  outcome: Outcome,
  fold: (events: readonly AnyEvent[]) => Kept,
): readonly [Outcome, Kept] => {
  try {
    return [outcome, fold(outcome.events)];
  } catch (error) {
    const what = `the fold of the events of ${manifest.name}.${action}`;
    return [{ ...threw(what, error), attempts: outcome.attempts ?? 1 }, fold([])];
  }
};
