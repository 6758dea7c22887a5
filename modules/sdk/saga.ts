import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { messageOf } from '../../text/thrown-message.js';

/**
 * Registers what undoes the step that you have just made: a function with calls and steps. One that throws, or returns
 * a refusal, has failed.
 */
export type Undo = (compensation: () => unknown) => void;

/**
 * Runs the steps of `work`. If it throws, or returns a refusal, what it registered with `undo` runs in reverse, and
 * the saga ends as `work` did. That covers a refused call, a failed step, `reject`, and a cancel. What is registered
 * makes calls and steps like any other, so it is done once, also after a crash. A cancel does not interrupt it.
 *
 * If something cannot be undone, the rest is undone, and the saga throws an error that names it.
 *
 * @example
 * return saga(async (undo) => {
 *   await call(accounts, 'withdraw', 'anna', { amount: 5 });
 *   undo(() => call(accounts, 'deposit', 'anna', { amount: 5 }));
 *   return ok(await call(tickets, 'sell', 'hamlet', { seats: 1 }));
 * });
 */
export type RunSaga = <T>(work: (undo: Undo) => Promise<T>) => Promise<T>;

/** The same for handlers that are tasks. A task that is registered may end with `left`: it has failed. */
export type TaskSaga = <E, A>(work: (undo: Undo) => TaskEither<E, A>) => TaskEither<E, A>;

export interface SagaSurroundings {
  /** Aborted when the run is over: then nothing can be undone any more. */
  readonly signal: AbortSignal;
  /** Runs compensations where the cancel of the command does not come between. */
  readonly shielded: <T>(run: () => Promise<T>) => Promise<T>;
}

const isNo = (value: unknown): value is { readonly left: unknown } =>
  (value as { readonly _tag?: unknown } | null | undefined)?._tag === 'Left';

const textOf = (no: unknown): string => {
  if (no instanceof Error) return messageOf(no);
  const { error = no } = (no ?? {}) as { readonly error?: unknown };
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  return code === undefined ? messageOf(no) : `${String(code)}: ${String(message)}`;
};

/** Undoes what was done, the last first. Gives what could not be undone. */
const undoAll = async (compensations: readonly (() => unknown)[]): Promise<readonly string[]> => {
  const failed: string[] = [];
  for (const compensation of compensations.toReversed()) {
    try {
      const said = await compensation();
      if (isNo(said)) failed.push(textOf(said.left));
    } catch (error) {
      failed.push(textOf(error));
    }
  }
  return failed;
};

/** The `saga` of one run of a handler. */
export const sagaWith =
  ({ signal, shielded }: SagaSurroundings): RunSaga =>
  async (work) => {
    const compensations: (() => unknown)[] = [];
    const undone = async (why: unknown): Promise<void> => {
      if (signal.aborted) return;
      const failed = await shielded(() => undoAll(compensations));
      // The next run continues where this one was.
      if (failed.length === 0 || signal.aborted) return;
      const text = `a saga ended with ${textOf(why)}, and could not undo ${failed.length} of ${compensations.length}`;
      throw new Error(`${text}: ${failed.join('; ')}`);
    };
    let said: Awaited<ReturnType<typeof work>>;
    try {
      said = await work((compensation) => compensations.push(compensation));
    } catch (thrown) {
      await undone(thrown);
      throw thrown;
    }
    if (isNo(said)) await undone(said.left);
    return said;
  };

/** The `saga` of a handler that is a task. */
export const taskSaga =
  (saga: RunSaga): TaskSaga =>
  (work) =>
  () =>
    saga((undo) => work(undo)());

/** `saga` as async handlers have it, from the one of the host. */
export const promisedSaga =
  (saga: TaskSaga): RunSaga =>
  (work) =>
    // What `work` resolves with goes through as it is: an Either or any other value.
    saga((undo) => () => work(undo) as Promise<never>)() as ReturnType<typeof work>;
