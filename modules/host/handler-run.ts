import { AsyncLocalStorage } from 'node:async_hooks';
import * as E from 'fp-ts/lib/Either.js';
import type { Draft } from '../../journal/append/draft.js';
import { failPoint } from '../../system/processes/fail-point.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { toPayload } from '../../schemas/json.js';
import { DEFAULT_DEADLINE_MS } from '../../schemas/manifest.js';
import { type Refusal, refusal } from '../../schemas/result.js';
import { addressText, stepSubject } from '../../schemas/subjects.js';
import { promiseId } from '../../schemas/promise.js';
import { sagaWith, taskSaga } from '../sdk/saga.js';
import { mayCall } from '../sdk/may-call.js';
import type { Checks } from '../sdk/checks.js';
import type { AnyModule, Command, EffectAction, EffectContext } from '../sdk/module-shape.js';
import { type AnyEvent, withEmitted } from '../sdk/checked-outcome.js';
import type { BlackBox } from './black-box.js';
import type { CallAnswer, HandlerCall } from './calls.js';
import { CallsMade } from './calls-made.js';
import { OpenOperations } from './open-operations.js';
import type { KnownCancels } from './cancels.js';
import { CancelMeeting } from './meet-cancel.js';
import { insideStep, runStep, type StepAnswer, stepDraft, type StepServices } from './run-step.js';
import { promiseFor, runWait, shownWait, sleepFor, sleepTo, waitFor, type WaitTime } from './run-wait.js';
import { CHOOSES, type StepFunction } from '../sdk/step-function.js';
import { stepProblem } from './attempt-step.js';
import { type Outcome, outcomeOf, refusedOutcome, threw } from './handler-outcome.js';

type AnyEffect = EffectAction<unknown, unknown, unknown, AnyEvent>;

/**
 * Which command's handler the running code belongs to, across awaits: so the handler that ends the process can be
 * named.
 */
export const inHand = new AsyncLocalStorage<number>();

/** A command for an effectful handler. */
export interface Errand {
  readonly action: string;
  readonly command: Command;
  readonly urgent: boolean;
  /** When it is not to be handled any more, milliseconds since 1970. */
  readonly deadline: number | undefined;
  /** A process before this one may have begun with it. */
  readonly isOld: boolean;
  /** State of its agent, when a try begins. */
  readonly state: () => unknown;
}

/** A try of a command. */
export interface HandlerTry extends Errand {
  /** The log may have calls and steps of a run before this one. */
  readonly isAgain: boolean;
}

/** What every run of a module's handlers shares. */
export interface RunSurroundings extends StepServices {
  readonly module: AnyModule;
  readonly checks: Checks;
  /** Stores a call as a command and waits for its result. */
  readonly makeCall: (call: HandlerCall) => Promise<CallAnswer>;
  /** Notes which handler runs. */
  readonly blackBox: Pick<BlackBox, 'enter' | 'leave' | 'began' | 'ended'>;
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
interface HandlerRun {
  readonly abort: AbortController;
  /** Another call than the log has was asked for: that is its outcome, whatever the handler returns. */
  readonly differs: (why: Fault) => void;
  readonly calls: CallsMade;
  readonly emitted: AnyEvent[];
  /** Where it learns that its command is cancelled. */
  readonly meeting: CancelMeeting;
  /** The subject of its steps. */
  readonly stepSubject: string;
  /** The highest number that the log has of the command. */
  readonly last: () => Promise<number> | number;
  /** What its calls and steps were refused with. */
  readonly refusals: WeakSet<object>;
  readonly operations: OpenOperations<E.Either<Refusal, unknown>>;
  /** Calls to its own module that it waits for. */
  ownCalls: number;
  over: boolean;
}

const countOwnCalls = ({ onOwnCalls }: RunSurroundings, run: HandlerRun, more: number): void => {
  if (run.over || more === 0) return;
  run.ownCalls += more;
  onOwnCalls(more);
};

/** The handler does not run any more: what it asks for now is answered by its next run. */
const NEVER = new Promise<never>(() => undefined);

/** What steps and waits of one run share. */
interface RunLimits {
  /** Why the run asks for nothing more. */
  readonly stopped: () => Refusal | undefined;
  readonly stop: (why: Fault) => void;
}

/** Notes what a step or a wait came to; gives what the handler gets of it. */
const recordedAnswer = (
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

const isOver = ({ over, abort }: HandlerRun): boolean => over || abort.signal.aborted;

/** The waits of one run. */
const waitsOf = (
  around: RunSurroundings,
  { action, command }: HandlerTry,
  run: HandlerRun,
  { stopped, stop }: RunLimits,
): Pick<EffectContext<unknown, AnyEvent>, 'sleep' | 'sleepUntil' | 'awaitSignal' | 'createPromise'> => {
  const { module } = around;
  const wait = async (
    time: E.Either<Fault, WaitTime>,
    onRecord?: (call: number, promise: string) => void,
  ): Promise<E.Either<Refusal, never>> => {
    if (run.operations.isParked) return NEVER;
    const problem = insideStep();
    if (problem !== undefined) return E.left(refusal(problem));
    if (E.isLeft(time)) return E.left(refusal(time.left));
    const before = stopped();
    if (before !== undefined) return E.left(before);
    const call = run.calls.next();
    run.operations.begin();
    const meets = run.meeting.at({ call, name: shownWait(time.right) });
    const met = meets === undefined ? undefined : await meets;
    if (met !== undefined) return recordedAnswer(run, call, met, stop) as E.Either<Refusal, never>;
    const asked = {
      module: module.manifest.name,
      cause: command.seq,
      call,
      action,
      command,
      time: time.right,
      isOver: () => isOver(run),
      isShielded: run.meeting.isShielded,
      last: await run.last(),
    };
    const { said, body, differs, promise } = await runWait(around, asked);
    if (promise !== undefined) onRecord?.(call, promise);
    if (said === undefined) {
      run.calls.stepped(call, run.stepSubject, body);
      failPoint('wait.parked');
      around.onWait();
      const woken = await run.operations.lasts(
        async () => (await runWait(around, { ...asked, last: call })).said,
      );
      const ended = run.meeting.woken(woken, asked.isShielded);
      if (E.isLeft(ended)) run.refusals.add(ended.left.error);
      return ended as E.Either<Refusal, never>;
    }
    const answer = {
      said: run.meeting.woken(said, asked.isShielded),
      ...(body && { body }),
      ...(differs && { differs }),
    };
    return recordedAnswer(run, call, answer, stop) as E.Either<Refusal, never>;
  };
  return {
    sleep: (ms) => () => wait(sleepFor(ms)),
    sleepUntil: (time) => () => wait(sleepTo(time)),
    awaitSignal:
      (name, { timeoutMs } = {}) =>
      () =>
        wait(waitFor(command.agent, name, timeoutMs)),
    createPromise:
      ({ timeoutMs } = {}) =>
      async () => {
        let created: (id: string) => void = () => undefined;
        const id = new Promise<string>((resolve) => {
          created = resolve;
        });
        const settled = wait(promiseFor(timeoutMs), (call, secret) =>
          created(promiseId({ cause: command.seq, call, secret })),
        );
        // Without a record there is no id: that is what the wait was refused with.
        const first = await Promise.race([id, settled]);
        return typeof first === 'string'
          ? E.right({ id: first, settled: () => settled })
          : (first as E.Either<Refusal, never>);
      },
  };
};

/** The function of a step as the run counts it: one that chooses among operations does nothing itself. */
const countedStep = (run: HandlerRun, effect: StepFunction<unknown>): StepFunction<unknown> =>
  !Object.hasOwn(effect, CHOOSES)
    ? effect
    : async (context) => {
        run.operations.end();
        try {
          return await effect(context);
        } finally {
          run.operations.begin();
        }
      };

/** The `step` of one run. */
const stepOf = (
  around: RunSurroundings,
  { action, command }: HandlerTry,
  run: HandlerRun,
  { stopped, stop }: RunLimits,
): EffectContext<unknown, AnyEvent>['step'] => {
  const { module } = around;
  return (name, effect, options = {}) =>
    async () => {
      if (run.operations.isParked) return NEVER;
      const problem = insideStep() ?? stepProblem(name, effect, options);
      if (problem !== undefined) return E.left(refusal(problem));
      const before = stopped();
      if (before !== undefined) return E.left(before);
      const call = run.calls.next();
      run.operations.begin();
      // Without a tick more where no command is cancelled.
      const meets = run.meeting.at({ call, name });
      const met = meets === undefined ? undefined : await meets;
      if (met !== undefined) return recordedAnswer(run, call, met, stop) as E.Either<Refusal, never>;
      const answer = await runStep(module, around, {
        cause: command.seq,
        call,
        action,
        command,
        name,
        run: countedStep(run, effect),
        options,
        signal: run.abort.signal,
        isOver: () => isOver(run),
        last: await run.last(),
      });
      return recordedAnswer(run, call, answer, stop) as E.Either<Refusal, never>;
    };
};

const contextOf = (
  around: RunSurroundings,
  errand: HandlerTry,
  run: HandlerRun,
): EffectContext<unknown, AnyEvent> => {
  const { module, makeCall } = around;
  const { command, urgent, state } = errand;
  const { signal } = run.abort;
  let differs: Refusal | undefined;
  const stop = (why: Fault): void => {
    differs = refusal(why);
    run.differs(why);
  };
  const limits = { stopped: () => differs, stop };
  return {
    state: state(),
    signal,
    emit: (event) => run.emitted.push(event),
    step: stepOf(around, errand, run, limits),
    saga: taskSaga(sagaWith({ signal, shielded: (undo) => run.meeting.shielded(undo) })),
    ...waitsOf(around, errand, run, limits),
    call: (manifest, action, agent, data) => async () => {
      const target = {
        module: manifest.name,
        name: action as string,
        ...(agent === undefined ? {} : { agent }),
      };
      const allowed = mayCall(module.manifest, command.agent, target);
      if (E.isLeft(allowed)) return E.left(refusal(allowed.left));
      // A run that has asked for something else than is recorded asks for nothing more.
      if (differs !== undefined) return E.left(differs);
      if (run.operations.isParked) return NEVER;
      const apart = insideStep();
      if (apart !== undefined) return E.left(refusal(apart));
      const body = toPayload(data);
      if (E.isLeft(body)) return E.left(refusal(body.left));
      const call = run.calls.next();
      const meets = run.meeting.at({ call, name: `call ${addressText(target)}` });
      if (meets !== undefined) {
        run.operations.begin();
        const met = await meets;
        if (met !== undefined) return recordedAnswer(run, call, met, stop) as E.Either<Refusal, never>;
        run.operations.end();
      }
      const own = manifest.name === module.manifest.name ? 1 : 0;
      countOwnCalls(around, run, own);
      run.operations.begin();
      failPoint('effect.calling');
      const {
        said,
        isRecorded,
        command: called,
      } = await makeCall({
        target,
        body: body.right,
        cause: command.seq,
        call,
        urgent,
        signal,
      });
      failPoint('effect.answered');
      countOwnCalls(around, run, -own);
      run.operations.end();
      if (isRecorded !== undefined) run.calls.answered({ call, target, body: body.right }, isRecorded);
      if (E.isLeft(said)) {
        run.refusals.add(said.left.error);
        if (said.left.error.code === 'CANCELLED') run.meeting.callCancelled(called);
        if (isRecorded === false && said.left.error.code === 'REPLAY_DIFFERS') {
          differs = said.left;
          run.differs(fault('REPLAY_DIFFERS', said.left.error.message));
        }
      }
      return said as E.Either<ReturnType<typeof refusal>, never>;
    },
  };
};

const invoke = (around: RunSurroundings, errand: HandlerTry, run: HandlerRun): Promise<Outcome> => {
  const { module, checks, blackBox } = around;
  const { action, command } = errand;
  return inHand.run(command.seq, async () => {
    blackBox.enter(command.seq);
    let running: Promise<unknown>;
    try {
      const handler = module.actions[action] as AnyEffect;
      running = handler.run(command, contextOf(around, errand, run))();
    } finally {
      blackBox.leave();
    }
    const returned = await running;
    const outcome = outcomeOf(module, checks, action, command, withEmitted(returned, run.emitted));
    // What a call was answered is in the log: the next run gets the same.
    const said = (returned as { left?: unknown } | undefined)?.left;
    const final = typeof said === 'object' && said !== null && run.refusals.has(said);
    return final ? { ...outcome, final } : outcome;
  });
};

/** The handler waits, and nothing of it is in memory: it runs again when the log has a wake. */
export const PARKED = 'parked';
export type Parked = typeof PARKED;

/** What a run begins with. */
const beginning = (
  { module, steps, cancels }: RunSurroundings,
  { action, command, isAgain }: HandlerTry,
  isOver: () => boolean,
): Pick<HandlerRun, 'calls' | 'last' | 'meeting' | 'stepSubject'> => {
  const draftOf = (call: number, body: Uint8Array): Draft =>
    stepDraft(module, { cause: command.seq, call, action, command }, body);
  const agent = command.agent === '' ? {} : { agent: command.agent };
  const recorded = () => steps.calls(command.seq);
  const meeting = new CancelMeeting({ cancels, steps, command, isAgain, recorded, draftOf, isOver });
  return {
    calls: new CallsMade(),
    // Asked once, and only by a handler that is not the first to run for its command.
    last: () => {
      const before = meeting.before();
      return before instanceof Promise ? before.then(({ calls }) => calls) : before.calls;
    },
    meeting,
    stepSubject: stepSubject({ module: module.manifest.name, name: action, ...agent }),
  };
};

/** An outcome that is the cancel itself says which record cancelled the command. */
const withCancel = (outcome: Outcome, { met }: CancelMeeting): Outcome =>
  met !== undefined && outcome.refusal?.error.code === 'CANCELLED'
    ? { ...outcome, cancelled: met.cancel }
    : outcome;

/** Runs an effectful handler once, for as long as its action may take. */
export const runHandler = async (around: RunSurroundings, errand: HandlerTry): Promise<Outcome | Parked> => {
  const { module, blackBox, clock, onOwnCalls } = around;
  const { action, command } = errand;
  const named = `${module.manifest.name}.${action}`;
  const deadlineMs = module.manifest.actions[action]?.deadlineMs ?? DEFAULT_DEADLINE_MS;
  const abort = new AbortController();
  let onTime: () => void = () => undefined;
  const late = new Promise<Outcome>((resolve) => {
    onTime = clock.after(deadlineMs, () => {
      abort.abort();
      resolve(
        refusedOutcome(
          fault('HANDLER_TIMEOUT', `the handler of ${named} did not finish within ${deadlineMs} ms`),
        ),
      );
    });
  });
  let differs: (why: Fault) => void = () => undefined;
  const differing = new Promise<Outcome>((resolve) => {
    differs = (why) => {
      abort.abort();
      resolve(refusedOutcome(why));
    };
  });
  let park: () => void = () => undefined;
  const parking = new Promise<Parked>((resolve) => {
    park = () => resolve(PARKED);
  });
  const run: HandlerRun = {
    abort,
    differs,
    ...beginning(around, errand, () => isOver(run)),
    emitted: [],
    refusals: new WeakSet(),
    operations: new OpenOperations(() => park()),
    ownCalls: 0,
    over: false,
  };
  around.running.set(command.seq, run.operations);
  blackBox.began(command.seq);
  failPoint('effect.begun');
  const handled = invoke(around, errand, run).catch((error: unknown) => threw(named, error));
  const outcome = await Promise.race([differing, handled, late, parking]);
  onTime();
  blackBox.ended(command.seq);
  around.running.delete(command.seq);
  // A late handler may continue, but no caller waits for it.
  run.over = true;
  onOwnCalls(-run.ownCalls);
  if (outcome === PARKED) return PARKED;
  return {
    ...withCancel(outcome, run.meeting),
    calls: { asked: run.calls.asked, stated: run.calls.stated() },
  };
};
