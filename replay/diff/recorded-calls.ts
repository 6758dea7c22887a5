import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { sagaWith, taskSaga } from '../../modules/sdk/saga.js';
import { mayCall } from '../../modules/sdk/may-call.js';
import type { AnyModule, EffectContext } from '../../modules/sdk/module-shape.js';
import type { AnyEvent } from '../../modules/sdk/checked-outcome.js';
import {
  isSameWait,
  saidByWake,
  shownWait,
  sleepFor,
  promiseFor,
  sleepTo,
  waitFor,
  type WaitTime,
} from '../../modules/host/run-wait.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { promiseId } from '../../schemas/promise.js';
import { shownStep } from '../../schemas/step.js';
import { cancelledRefusal } from '../../schemas/cancel.js';
import { type Refusal, refusal } from '../../schemas/result.js';
import { addressText } from '../../schemas/subjects.js';
import { sameJson } from '../expression/json-value.js';
import type { CallMade, RecordedCall, Stopped } from './runner-messages.js';

/** What one run of a handler did. */
export interface RecordedRun {
  readonly context: EffectContext<unknown, AnyEvent>;
  readonly emitted: readonly AnyEvent[];
  /** Recorded calls that were not made. */
  readonly notMade: () => readonly CallMade[];
}

export const made = ({ target, data, step }: Pick<RecordedCall, 'target' | 'data' | 'step'>): CallMade => ({
  ...target,
  data,
  ...(step === undefined ? {} : { step: step.status === 'waiting' ? shownStep(step) : step.name }),
});

/** As it would be recorded. */
const asJson = (data: unknown): unknown => (data === undefined ? null : JSON.parse(JSON.stringify(data)));

/**
 * A context whose calls get the answers that are recorded. A call is known by its number; one that was not made
 * before, or with other content, is reported and gets no answer, because the answer is unknown. Neither is one that
 * was not answered then, which is how a handler comes to its deadline.
 */
export const recordedContext = (
  module: AnyModule,
  { action, agent }: { readonly action: string; readonly agent: string },
  state: unknown,
  recorded: readonly RecordedCall[],
  signal: AbortSignal,
  onStopped: (stopped: Stopped) => void,
  onUnanswered: () => void,
): RecordedRun => {
  const emitted: AnyEvent[] = [];
  const byNumber = new Map(recorded.map((call) => [call.n, call]));
  const highest = Math.max(0, ...byNumber.keys());
  let calls = 0;
  const never = new Promise<never>(() => undefined);
  const differs = (name: string, known: RecordedCall | undefined): Promise<never> => {
    const before = known === undefined ? null : made(known);
    const now = {
      module: module.manifest.name,
      name: action,
      ...(agent === '' ? {} : { agent }),
      data: null,
    };
    onStopped({ why: 'call', n: calls, made: { ...now, step: name }, recorded: before });
    return never;
  };
  /** A wait ends as it is recorded, at once. */
  const wait = async (time: Either<Fault, WaitTime>): Promise<Either<Refusal, unknown>> => {
    if (isLeft(time)) return left(refusal(time.left));
    calls += 1;
    const known = byNumber.get(calls);
    if (known?.step?.status === 'cancelled' && known.step.name === shownWait(time.right)) {
      byNumber.delete(calls);
      return left(cancelledRefusal(known.step.cancel));
    }
    if (known?.step?.status !== 'waiting' || !isSameWait(known.step, time.right))
      return differs(shownWait(time.right), known);
    byNumber.delete(calls);
    // It lost a race: it had not ended when the handler did.
    return known.wake === undefined ? never : saidByWake(known.wake);
  };
  /** A promise has the id of its record. */
  const promise = async (timeoutMs: unknown): Promise<Either<Refusal, unknown>> => {
    const step = byNumber.get(calls + 1)?.step;
    const secret = step?.status === 'waiting' ? step.promise : undefined;
    const settled = wait(promiseFor(timeoutMs));
    // What is refused, or is not what was recorded, has no id.
    if (secret === undefined) return settled;
    return right({ id: promiseId({ cause: 0, call: calls, secret }), settled: () => settled });
  };
  /** A step gets what is recorded: its effect has happened, and must not happen here. */
  const step = async (name: string): Promise<Either<Refusal, unknown>> => {
    calls += 1;
    const known = byNumber.get(calls);
    // It lost a race: its value is not known, and no outcome came of it.
    if (known === undefined && calls < highest) return never;
    if (known?.step?.name !== name || known.step.status === 'waiting') return differs(name, known);
    byNumber.delete(calls);
    if (known.step.status === 'ok') return right(known.step.value);
    if (known.step.status === 'cancelled') return left(cancelledRefusal(known.step.cancel));
    return left(refusal(fault(known.step.error.code, known.step.error.message)));
  };
  const answer = async (target: RecordedCall['target'], data: unknown): Promise<Either<Refusal, unknown>> => {
    const allowed = mayCall(module.manifest, agent, target);
    if (isLeft(allowed)) return left(refusal(allowed.left));
    calls += 1;
    const known = byNumber.get(calls);
    if (known?.step?.status === 'cancelled' && known.step.name === `call ${addressText(target)}`) {
      byNumber.delete(calls);
      return left(cancelledRefusal(known.step.cancel));
    }
    const now = made({ target, data: asJson(data) });
    if (known === undefined || !sameJson(made(known), now)) {
      const before = known === undefined ? null : made(known);
      onStopped({ why: 'call', n: calls, made: now, recorded: before });
      return never;
    }
    byNumber.delete(calls);
    if (known.answer === undefined) {
      onUnanswered();
      return never;
    }
    return known.answer.status === 'ok' ? right(known.answer.data) : left(known.answer);
  };
  return {
    context: {
      state,
      signal,
      saga: taskSaga(sagaWith({ signal, shielded: (undo) => undo() })),
      step: (name) => () => step(name) as Promise<Either<Refusal, never>>,
      sleep: (ms) => () => wait(sleepFor(ms)) as Promise<Either<Refusal, never>>,
      sleepUntil: (time) => () => wait(sleepTo(time)) as Promise<Either<Refusal, never>>,
      awaitSignal:
        (name, { timeoutMs } = {}) =>
        () =>
          wait(waitFor(agent, name, timeoutMs)),
      createPromise:
        ({ timeoutMs } = {}) =>
        () =>
          promise(timeoutMs) as Promise<Either<Refusal, never>>,
      emit: (event) => emitted.push(event),
      call: (manifest, action, to, data) => () => {
        const target = { module: manifest.name, name: action, ...(to === undefined ? {} : { agent: to }) };
        return answer(target, data) as Promise<Either<Refusal, never>>;
      },
    },
    emitted,
    notMade: () => [...byNumber.values()].map(made),
  };
};
