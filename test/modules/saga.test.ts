import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type RunSaga, sagaWith, taskSaga } from '../../modules/sdk/saga.js';

/** A step of a saga: what comes of it, and of what undoes it. */
interface PlannedStep {
  readonly ends: 'done' | 'refused' | 'thrown' | 'returned';
  readonly undo: 'none' | 'done' | 'throws' | 'refused';
}

const planned: fc.Arbitrary<readonly PlannedStep[]> = fc.array(
  fc.record({
    ends: fc.oneof(
      { weight: 5, arbitrary: fc.constant<'done'>('done') },
      { weight: 1, arbitrary: fc.constantFrom('refused' as const, 'thrown' as const, 'returned' as const) },
    ),
    undo: fc.constantFrom('none', 'done', 'done', 'throws', 'refused'),
  }),
  { maxLength: 8 },
);

class Refusing extends Error {}

/** Runs the steps in a saga. Gives the order of what ran, and how it ended. */
const carriedOut = async (saga: RunSaga, steps: readonly PlannedStep[]) => {
  const ran: string[] = [];
  try {
    const said = await saga(async (undo): Promise<Either<string, string>> => {
      for (const [i, { ends, undo: how }] of steps.entries()) {
        ran.push(`do ${i}`);
        if (ends === 'returned') return left(`returned ${i}`);
        if (ends !== 'done') throw new Refusing(`${ends} ${i}`);
        if (how === 'none') continue;
        undo(async () => {
          ran.push(`undo ${i}`);
          if (how === 'throws') throw new Error(`cannot ${i}`);
          return how === 'refused' ? left({ code: 'NO', message: `${i}` }) : right(undefined);
        });
      }
      return right('all');
    });
    return { ran, said };
  } catch (thrown) {
    return { ran, thrown: thrown as Error };
  }
};

describe('a saga', () => {
  it('undoes what was done in reverse, once, and ends as its work did; what cannot be undone is named', async () => {
    await fc.assert(
      fc.asyncProperty(planned, fc.boolean(), async (steps, isAborted) => {
        const abort = new AbortController();
        if (isAborted) abort.abort();
        let shielded = 0;
        const saga = sagaWith({
          signal: abort.signal,
          shielded: (run) => {
            shielded += 1;
            return run();
          },
        });
        const { ran, said, thrown } = await carriedOut(saga, steps);
        const found = steps.findIndex(({ ends }) => ends !== 'done');
        const failed = found === -1 ? undefined : found;
        const done = steps.slice(0, failed).map((_, i) => `do ${i}`);
        if (failed === undefined) {
          assert.deepEqual([ran, said, shielded], [done, right('all'), 0]);
          return;
        }
        const undone = steps
          .slice(0, failed)
          .flatMap(({ undo }, i) => (undo === 'none' || isAborted ? [] : [`undo ${i}`]))
          .toReversed();
        assert.deepEqual(ran, [...done, `do ${failed}`, ...undone]);
        assert.equal(shielded, isAborted ? 0 : 1);
        const stuck = steps.slice(0, failed).flatMap(({ undo }, i) => {
          if (isAborted || undo === 'none' || undo === 'done') return [];
          return [undo === 'throws' ? `cannot ${i}` : `NO: ${i}`];
        });
        const { ends } = steps[failed] as PlannedStep;
        if (stuck.length > 0) {
          assert.match(String(thrown?.message), /could not undo/);
          for (const text of stuck) assert.ok(thrown?.message.includes(text), thrown?.message);
        } else if (ends === 'returned') assert.deepEqual(said, left(`returned ${failed}`));
        else assert.ok(thrown instanceof Refusing && thrown.message === `${ends} ${failed}`);
      }),
    );
  });

  it('is there for tasks too', async () => {
    const undone: string[] = [];
    const saga = taskSaga(sagaWith({ signal: new AbortController().signal, shielded: (run) => run() }));
    const said = await saga((undo) => async () => {
      undo(async () => undone.push('first'));
      undo(async () => undone.push('second'));
      return left('no');
    })();
    assert.deepEqual([said, undone], [left('no'), ['second', 'first']]);
  });
});
