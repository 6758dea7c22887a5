import * as E from 'fp-ts/lib/Either.js';
import type { Draft } from '../../journal/append/draft.js';
import { failPoint } from '../../system/processes/fail-point.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { toPayload } from '../../schemas/json.js';
import { keyCommand } from '../../schemas/restart.js';
import { DEFAULT_DEADLINE_MS } from '../../schemas/manifest.js';
import { type Refusal, refusal } from '../../schemas/result.js';
import { addressText, stepSubject } from '../../schemas/subjects.js';
import { sagaWith, taskSaga } from '../sdk/saga.js';
import { mayCall } from '../sdk/may-call.js';
import type { EffectAction, EffectContext } from '../sdk/module-shape.js';
import { type AnyEvent, withEmitted } from '../sdk/checked-outcome.js';
import { CallsMade } from './calls-made.js';
import { inHand } from './command-in-hand.js';
import { OpenOperations } from './open-operations.js';
import { waitsOf } from './handler-waits.js';
import { CancelMeeting } from './meet-cancel.js';
import {
  type HandlerRun,
  type HandlerTry,
  isOver,
  BY_NEXT_RUN,
  recordedAnswer,
  type RunLimits,
  type RunSurroundings,
} from './one-run.js';
import { insideStep, runStep, stepDraft } from './run-step.js';
import { CHOOSES, type StepFunction } from '../sdk/step-function.js';
import { stepProblem } from './attempt-step.js';
import { type Outcome, outcomeOf, refusedOutcome, threw } from './handler-outcome.js';

type AnyEffect = EffectAction<unknown, unknown, unknown, AnyEvent>;

const countOwnCalls = ({ onOwnCalls }: RunSurroundings, run: HandlerRun, more: number): void => {
  if (run.over || more === 0) return;
  run.ownCalls += more;
  onOwnCalls(more);
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
      if (run.operations.isParked) return BY_NEXT_RUN;
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
      const { calls: last, keys = [] } = await run.before();
      const answer = await runStep(module, around, {
        cause: command.seq,
        call,
        keyOf: keyCommand(command.seq, keys, { call, name }),
        action,
        command,
        name,
        run: countedStep(run, effect),
        options,
        signal: run.abort.signal,
        isOver: () => isOver(run),
        last,
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
      if (run.operations.isParked) return BY_NEXT_RUN;
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
  return inHand.run(command, async () => {
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
  { action, command, isAgain, mayHaveBegun }: HandlerTry,
  isOver: () => boolean,
): Pick<HandlerRun, 'calls' | 'before' | 'meeting' | 'stepSubject'> => {
  const draftOf = (call: number, body: Uint8Array): Draft =>
    stepDraft(module, { cause: command.seq, call, action, command }, body);
  const agent = command.agent === '' ? {} : { agent: command.agent };
  const recorded = () => steps.calls(command.seq);
  const runs = { isAgain, mayHaveBegun };
  const meeting = new CancelMeeting({ cancels, steps, command, ...runs, recorded, draftOf, isOver });
  return {
    calls: new CallsMade(),
    // Asked once, and only by a handler that is not the first to run for its command.
    before: () => meeting.before(),
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
