import * as E from 'fp-ts/lib/Either.js';
import type { CallsReply } from '../../schemas/control.js';
import type { Fault } from '../../schemas/errors.js';
import type { Refusal } from '../../schemas/result.js';
import type { AnyEvent } from '../sdk/checked-outcome.js';
import type { Checks } from '../sdk/checks.js';
import type { AnyModule, Command } from '../sdk/module-shape.js';
import type { BlackBox } from './black-box.js';
import type { CallAnswer, HandlerCall } from './calls.js';
import type { CallsMade } from './calls-made.js';
import type { KnownCancels } from './cancels.js';
import type { CancelMeeting } from './meet-cancel.js';
import type { OpenOperations } from './open-operations.js';
import type { StepAnswer, StepServices } from './run-step.js';

/** A command for an effectful handler. */
export interface Errand {
  readonly action: string;
  readonly command: Command;
  readonly urgent: boolean;
  /** When it is not to be handled any more, milliseconds since 1970. */
  readonly deadline: number | undefined;
  /** A process before this one may have begun with it. */
  readonly isOld: boolean;
  /** It restarts another command, and has calls and steps of that one as its own. */
  readonly isRestart: boolean;
  /** State of its agent, when a try begins. */
  readonly state: () => unknown;
}

/** A try of a command. */
export interface HandlerTry extends Errand {
  /** The log may have calls and steps of a run before this one. */
  readonly isAgain: boolean;
  /** A run before this one may have begun an operation that the log does not have. */
  readonly mayHaveBegun: boolean;
}

/** What every run of a module's handlers shares. */
export interface RunSurroundings extends StepServices {
  readonly module: AnyModule;
  readonly checks: Checks;
  /** Stores a call as a command and waits for its result. */
  readonly makeCall: (call: HandlerCall) => Promise<CallAnswer>;
  /** Notes which handler runs. */
  readonly blackBox: Pick<BlackBox, 'enter' | 'leave' | 'began' | 'ended' | 'forget'>;
  /** A handler waits: from now on it is to be known what is woken. */
  readonly onWait: () => void;
  /** The runs by the sequences of their commands. */
  readonly running: Map<number, Pick<OpenOperations, 'woken' | 'hasWaits'>>;
  /** Which commands are cancelled; undefined: none ever is. */
  readonly cancels?: KnownCancels;
  /** So many more (or less) calls to the module itself are waited for. */
  readonly onOwnCalls: (more: number) => void;
}

/** One run of a handler. */
export interface HandlerRun {
  readonly abort: AbortController;
  /** Another call than the log has was asked for: that is its outcome, whatever the handler returns. */
  readonly differs: (why: Fault) => void;
  readonly calls: CallsMade;
  readonly emitted: AnyEvent[];
  /** Where it learns that its command is cancelled. */
  readonly meeting: CancelMeeting;
  /** The subject of its steps. */
  readonly stepSubject: string;
  /** What the log had of the command when the run began. */
  readonly before: () => Promise<CallsReply> | CallsReply;
  /** What its calls and steps were refused with. */
  readonly refusals: WeakSet<object>;
  readonly operations: OpenOperations<E.Either<Refusal, unknown>>;
  /** Calls to its own module that it waits for. */
  ownCalls: number;
  over: boolean;
}

/** The handler does not run any more: what it asks for now is answered by its next run. */
export const BY_NEXT_RUN = new Promise<never>(() => undefined);

/** What steps and waits of one run share. */
export interface RunLimits {
  /** Why the run asks for nothing more. */
  readonly stopped: () => Refusal | undefined;
  readonly stop: (why: Fault) => void;
}

/** Notes what a step or a wait came to; gives what the handler gets of it. */
export const recordedAnswer = (
  run: HandlerRun,
  call: number,
  { said, body, differs }: StepAnswer,
  stop: (why: Fault) => void,
): E.Either<Refusal, unknown> => {
  run.calls.stepped(call, run.stepSubject, body);
  run.operations.end();
  if (differs !== undefined) stop(differs);
  if (E.isLeft(said)) run.refusals.add(said.left.error);
  return said;
};

/** Its outcome is decided, or its time is over. */
export const isOver = ({ over, abort }: HandlerRun): boolean => over || abort.signal.aborted;
