import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, toFault } from '../../schemas/errors.js';
import type { Scope } from '../expression/evaluate.js';
import { type AgentStep, agentSteps, type StepsQuery } from './state-steps.js';

export interface BisectQuery extends StepsQuery {
  /** A compiled `condition`. With several events in a record, it holds there when it does for one of them. */
  readonly holds: (scope: Scope) => Either<Fault, boolean>;
}

export interface Bisected {
  /** The first record with which the condition holds; undefined: with none. */
  readonly found: AgentStep | undefined;
  /** Records for which it was looked at. */
  readonly checked: number;
}

/**
 * The first record of an agent with which a condition holds. A condition may come to hold and cease to, as often as it
 * likes: so no state can be skipped, and each is looked at, in order. Left: why the condition or a state has no value.
 */
export const firstWhere =
  ({ holds, ...query }: BisectQuery): TaskEither<Fault, Bisected> =>
  async () => {
    let checked = 0;
    try {
      for await (const step of agentSteps(query)) {
        checked += 1;
        const { seq, events, before, state } = step;
        for (const event of events) {
          const scope: Scope = {
            ...{ state, before, event, agent: query.agent, seq },
            get time() {
              return step.time;
            },
          };
          const held = holds(scope);
          if (isLeft(held)) return left({ ...held.left, message: `at ${seq}, ${held.left.message}` });
          if (!held.right) continue;
          const { time } = step;
          return right({ found: { seq, time, event, events, before, state }, checked });
        }
      }
      return right({ found: undefined, checked });
    } catch (thrown) {
      return left(toFault(thrown));
    }
  };
