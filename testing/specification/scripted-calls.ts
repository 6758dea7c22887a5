import assert from 'node:assert/strict';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { cancelledRefusal } from '../../schemas/cancel.js';
import { type Refusal, refusal } from '../../schemas/result.js';
import type { EndedStep } from '../../schemas/step.js';
import type { Fault } from '../../schemas/errors.js';
import {
  promiseFor,
  shownWait,
  sleepFor,
  sleepTo,
  waitFor,
  type WaitTime,
} from '../../modules/host/run-wait.js';
import { attemptStep, stepProblem } from '../../modules/host/attempt-step.js';
import type { HandlerClock } from '../../modules/host/handler-clock.js';
import { saidBy } from '../../modules/host/run-step.js';
import { sagaWith, taskSaga } from '../../modules/sdk/saga.js';
import type { StepFunction, StepOptions } from '../../modules/sdk/step-function.js';
import { mayHandle, mayCall } from '../../modules/sdk/may-call.js';
import { compileChecks } from '../../modules/sdk/checks.js';
import type { TypedManifest } from '../../modules/sdk/define-manifest.js';
import type { EffectContext, Send } from '../../modules/sdk/module-shape.js';
import { send } from '../../modules/sdk/send-command.js';
import type { AnyEvent } from '../../modules/sdk/checked-outcome.js';
import { frozen } from './plain.js';
import { must } from './subject.js';

/** Answers the n-th call of a handler, n from 1. */
export type ScriptedReply = (call: Send, n: number) => Either<Refusal, unknown>;

/** The answer of an action that did what it was asked. */
export const answered = (data: unknown): Either<Refusal, unknown> => right(data);

/** The answer of an action that refused. */
export const rejected = (
  code: string,
  message = `refused by the specification: ${code}`,
): Either<Refusal, never> => left({ status: 'rejected', error: { code, message, retryable: false } });

export interface ScriptedCall {
  readonly call: Send;
  readonly answer: Either<Refusal, unknown>;
}

/** The steps of a run: recorded in a first one, and given to a second one, which must ask for the same. */
export class ScriptedSteps {
  readonly #names: string[] = [];
  /** By their numbers. One that lost a race may have none when the handler ends. */
  readonly #recorded = new Map<number, EndedStep>();

  constructor(private readonly before?: ScriptedSteps) {}

  /** The number of the next step, and what the run before recorded; undefined: its function runs. */
  next(name: string): { readonly n: number; readonly known: EndedStep | undefined } {
    const n = this.#names.push(name);
    if (this.before === undefined) return { n, known: undefined };
    const asked = this.before.#names[n - 1];
    assert.equal(name, asked, `run again after a crash, the handler makes another step ${n}`);
    return { n, known: this.before.#recorded.get(n) };
  }

  record(n: number, step: EndedStep): void {
    this.#recorded.set(n, step);
  }
}

/** The cancel of a command: met once, at the first call or step from this number on, but not by a compensation. */
export class ScriptedCancel {
  #operations = 0;
  #shields = 0;
  #isMet = false;

  constructor(private readonly at: number | undefined) {}

  /** The next call or step begins: whether it meets the cancel. */
  isMet(): boolean {
    this.#operations += 1;
    if (this.at === undefined || this.#isMet || this.#shields > 0 || this.#operations < this.at) return false;
    this.#isMet = true;
    return true;
  }

  async shielded<T>(run: () => Promise<T>): Promise<T> {
    this.#shields += 1;
    try {
      return await run();
    } finally {
      this.#shields -= 1;
    }
  }
}

/**
 * The data of the signals that come, by their names, in their order. Behind the last one none comes. The first promise
 * of a handler has the id `promise-1`, and its value stands there.
 */
export type ScriptedSignals = Readonly<Record<string, readonly unknown[]>>;

/** Gives a handler its signals. One that waits without a limit for a signal that does not come fails the test. */
const signalsOf = (scripted: ScriptedSignals) => {
  const taken = new Map<string, number>();
  return (name: string, timeoutMs: number | undefined): EndedStep => {
    const n = taken.get(name) ?? 0;
    taken.set(name, n + 1);
    const data = Object.hasOwn(scripted, name) ? (scripted[name] ?? []) : [];
    if (n < data.length) return { name, status: 'ok', value: frozen(data[n]), attempts: 1 };
    if (timeoutMs === undefined)
      assert.fail(`the handler awaits signal ${n + 1} of ${name}, and ${data.length} come`);
    const error = { code: 'SIGNAL_TIMEOUT', message: `the signal ${name} did not come in time` };
    return { name, status: 'failed', error, attempts: 1 } as unknown as EndedStep;
  };
};

/** No test waits for the pause between two attempts. */
const NO_PAUSES: HandlerClock = {
  now: () => Date.now(),
  after: (_, run) => {
    const soon = setImmediate(run);
    return () => clearImmediate(soon);
  },
};

/**
 * A context whose calls are answered by a script. The functions of its steps run, once. A call that production would
 * refuse fails the specification, also when the handler would have lived with the refusal: it is a mistake of the
 * module, not a case to be handled.
 */
export const scriptedContext = (
  manifest: TypedManifest,
  agent: string,
  state: unknown,
  reply: ScriptedReply,
  steps: ScriptedSteps,
  cancel: ScriptedCancel,
  scripted: ScriptedSignals,
): {
  context: EffectContext<unknown, AnyEvent>;
  emitted: readonly AnyEvent[];
  recorded: readonly ScriptedCall[];
  mistakes: readonly Error[];
} => {
  const signals = signalsOf(scripted);
  let promises = 0;
  const recorded: ScriptedCall[] = [];
  const mistakes: Error[] = [];
  const emitted: AnyEvent[] = [];
  const { signal } = new AbortController();
  const emit = (event: AnyEvent): void => {
    emitted.push(frozen(event));
  };

  const callOnce = (callee: TypedManifest, call: Send): Either<Refusal, unknown> => {
    const what = `call ${recorded.length + 1}, ${call.module}.${call.name}`;
    const checks = compileChecks(callee);
    must(mayCall(manifest, agent, call), what);
    must(mayHandle(callee, checks, { ...call, action: call.name, sender: manifest.name }), what);
    const given = reply(call, recorded.length + 1);
    if (!isLeft(given)) must(checks.output(call.name)(given.right), `the answer to ${what}`);
    recorded.push({ call, answer: frozen(given) });
    return frozen(given);
  };

  /** A mistake counts also when the handler catches it. */
  const noting = <T>(check: () => T): T => {
    try {
      return check();
    } catch (error) {
      mistakes.push(error as Error);
      throw error;
    }
  };

  const step = ((name: string, run: StepFunction<unknown>, options: StepOptions = {}) =>
    async () => {
      const problem = stepProblem(name, run, options);
      if (problem !== undefined) {
        mistakes.push(new Error(problem.message));
        return left(refusal(problem));
      }
      if (cancel.isMet()) return left(cancelledRefusal(1));
      const { n, known } = noting(() => steps.next(name));
      if (known !== undefined) return saidBy(known);
      const { timeoutMs: _, ...kept } = options;
      const made = await attemptStep(name, run, kept, {
        clock: NO_PAUSES,
        signal,
        key: `specification-${n}`,
        random: () => 0,
        shown: (text) => text,
        apart: (begin) => begin(),
      });
      steps.record(n, made as EndedStep);
      return saidBy(made as EndedStep);
    }) as EffectContext<unknown, AnyEvent>['step'];

  /** Time is skipped: a wait is over at once. */
  const wait = (
    time: Either<Fault, WaitTime>,
    ended: () => EndedStep = () => ({ name: '', status: 'ok', attempts: 1 }),
  ): Either<Refusal, never> => {
    if (isLeft(time)) {
      mistakes.push(new Error(time.left.message));
      return left(refusal(time.left));
    }
    if (cancel.isMet()) return left(cancelledRefusal(1));
    const name = shownWait(time.right);
    const { n, known } = noting(() => steps.next(name));
    const said = known ?? { ...noting(ended), name };
    steps.record(n, said);
    return saidBy(said) as Either<Refusal, never>;
  };

  const call = ((callee: TypedManifest, action: string, to: string | undefined, data: unknown) =>
    async () => {
      if (cancel.isMet()) return left(cancelledRefusal(1));
      return noting(() => callOnce(callee, frozen(send(callee, action, to, data))));
    }) as (...args: readonly unknown[]) => TaskEither<Refusal, unknown> as EffectContext<
    unknown,
    AnyEvent
  >['call'];

  const saga = taskSaga(sagaWith({ signal, shielded: (undo) => cancel.shielded(undo) }));

  return {
    context: {
      state,
      signal,
      call,
      step,
      saga,
      sleep: (ms) => async () => wait(sleepFor(ms)),
      sleepUntil: (time) => async () => wait(sleepTo(time)),
      awaitSignal:
        (name, { timeoutMs } = {}) =>
        async () =>
          wait(waitFor(agent, name, timeoutMs), () => signals(name, timeoutMs)),
      createPromise:
        ({ timeoutMs } = {}) =>
        async () => {
          promises += 1;
          const id = `promise-${promises}`;
          const settled = wait(promiseFor(timeoutMs), () => signals(id, timeoutMs));
          return right({ id, settled: async () => settled });
        },
      emit,
    },
    emitted,
    recorded,
    mistakes,
  };
};

/** Gives the answers of a first run to a second one, which must ask the same. */
export const replaying =
  (recorded: readonly ScriptedCall[]): ScriptedReply =>
  (call, n) => {
    const before = recorded[n - 1];
    assert.deepStrictEqual(
      call,
      before?.call,
      `run again after a crash, the handler makes another call ${n}`,
    );
    return (before as ScriptedCall).answer;
  };
