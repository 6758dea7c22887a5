import * as E from 'fp-ts/lib/Either.js';
import { failPoint } from '../../system/processes/fail-point.js';
import type { Fault } from '../../schemas/errors.js';
import { promiseId } from '../../schemas/promise.js';
import { type Refusal, refusal } from '../../schemas/result.js';
import type { AnyEvent } from '../sdk/checked-outcome.js';
import type { EffectContext } from '../sdk/module-shape.js';
import {
  type HandlerRun,
  type HandlerTry,
  isOver,
  BY_NEXT_RUN,
  recordedAnswer,
  type RunLimits,
  type RunSurroundings,
} from './one-run.js';
import { insideStep } from './run-step.js';
import { promiseFor, runWait, shownWait, sleepFor, sleepTo, waitFor, type WaitTime } from './run-wait.js';

/** The waits of one run. */
export const waitsOf = (
  around: RunSurroundings,
  { action, command }: HandlerTry,
  run: HandlerRun,
  { stopped, stop }: RunLimits,
): Pick<EffectContext<unknown, AnyEvent>, 'sleep' | 'sleepUntil' | 'awaitSignal' | 'createPromise'> => {
  const { module } = around;
  const wait = async (
    time: E.Either<Fault, WaitTime>,
    onRecord?: (place: Parameters<typeof promiseId>[0]) => void,
  ): Promise<E.Either<Refusal, never>> => {
    if (run.operations.isParked) return BY_NEXT_RUN;
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
      last: (await run.before()).calls,
    };
    const { said, body, differs, promise, madeBy = command.seq } = await runWait(around, asked);
    if (promise !== undefined) onRecord?.({ cause: madeBy, call, secret: promise });
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
        const settled = wait(promiseFor(timeoutMs), (place) => created(promiseId(place)));
        // Without a record there is no id: that is what the wait was refused with.
        const first = await Promise.race([id, settled]);
        return typeof first === 'string'
          ? E.right({ id: first, settled: () => settled })
          : (first as E.Either<Refusal, never>);
      },
  };
};
