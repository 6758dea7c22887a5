import { fault } from '../../schemas/errors.js';
import { refusal } from '../../schemas/result.js';
import { Refused } from './refused.js';
import { CHOOSES } from './step-function.js';
import type { RunStep } from './step-in-handler.js';

/**
 * Waits for calls, steps and waits that run side by side. Which one came first is stored as a step, so a handler that
 * runs again gets the same one. Give it the promises of `call`, `step`, `sleep`, `sleepUntil`, `all`, `race` and `any`,
 * and no others: the order of others is not in the log.
 */
export interface Together {
  /**
   * Waits until all have ended. Resolves with their values, in the order of the list. If some failed, throws what the
   * first of them in the list threw.
   */
  all<T extends readonly unknown[] | []>(operations: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>;
  /** Resolves or throws as the first that ends. The others run on, until the handler ends. */
  race<T extends readonly unknown[] | []>(operations: T): Promise<Awaited<T[number]>>;
  /** Resolves with the value of the first that succeeds. If all failed, throws what the first in the list threw. */
  any<T extends readonly unknown[] | []>(operations: T): Promise<Awaited<T[number]>>;
}

/** The promises that a run's calls and steps have given to the handler. */
export class KnownPromises {
  readonly #known = new WeakSet<object>();

  note<T>(promise: Promise<T>): Promise<T> {
    this.#known.add(promise);
    return promise;
  }

  /** `run` with each promise noted that it returns. */
  noting<Given extends readonly unknown[], T>(
    run: (...given: Given) => Promise<T>,
  ): (...given: Given) => Promise<T> {
    return (...given) => this.note(run(...given));
  }

  has(value: unknown): boolean {
    return typeof value === 'object' && value !== null && this.#known.has(value);
  }
}

const refuse = (text: string): never => {
  throw new Refused(refusal(fault('STEP_INVALID', text)));
};

/** Nothing listens to one that lost: its failure must not end the process. */
const ignored = (): undefined => undefined;

/** A handler that only chooses among waits waits itself. */
const choosing = <T>(choose: () => Promise<T>): (() => Promise<T>) =>
  Object.assign(() => choose(), { [CHOOSES]: true });

const settledFirst = (operations: readonly Promise<unknown>[]): Promise<number> =>
  Promise.race(
    operations.map((each, i) =>
      each.then(
        () => i,
        () => i,
      ),
    ),
  );

/** The place of the first that succeeds; null if all failed. */
const succeededFirst = (operations: readonly Promise<unknown>[]): Promise<number | null> =>
  Promise.any(operations.map((each, i) => each.then(() => i))).catch(() => null);

/** `all`, `race` and `any` of one run. */
export const together = (step: RunStep, known: KnownPromises): Together => {
  const checked = (name: string, operations: readonly unknown[]): readonly Promise<unknown>[] => {
    const other = operations.findIndex((each) => !known.has(each));
    if (other >= 0)
      refuse(
        `item ${other + 1} of ${name} is no promise of a call or a step, so the log does not have its order`,
      );
    const promises = operations as readonly Promise<unknown>[];
    for (const each of promises) each.catch(ignored);
    return promises;
  };
  const some = (name: string, operations: readonly unknown[]): readonly Promise<unknown>[] =>
    operations.length === 0 ? refuse(`${name} of nothing would wait for ever`) : checked(name, operations);
  const all = async (operations: readonly unknown[]): Promise<readonly unknown[]> => {
    const settled = await Promise.allSettled(checked('all', operations));
    return settled.map((each) => {
      if (each.status === 'rejected') throw each.reason;
      return each.value;
    });
  };
  const race = async (operations: readonly unknown[]): Promise<unknown> => {
    const promises = some('race', operations);
    return promises[
      await step(
        'race',
        choosing(() => settledFirst(promises)),
      )
    ];
  };
  const any = async (operations: readonly unknown[]): Promise<unknown> => {
    const promises = some('any', operations);
    return promises[
      (await step(
        'any',
        choosing(() => succeededFirst(promises)),
      )) ?? 0
    ];
  };
  return { all: known.noting(all), race: known.noting(race), any: known.noting(any) } as Together;
};
