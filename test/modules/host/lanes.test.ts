import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { KEPT, Lanes } from '../../../modules/host/lanes.js';

type Call = (done: () => void) => void;

/** Each item is what runs. */
const lanesOfSteps = (): Lanes<Call> => new Lanes((call, done) => call(done));

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('lanes', () => {
  it('I5 steps of one lane run one at a time in their order, whenever each ends; none is left out', async () => {
    const step = fc.record({
      lane: fc.constantFrom('', 'a', 'b', 'c'),
      turns: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const lanes = lanesOfSteps();
        const running = new Map<string, number>();
        const began = new Map<string, number[]>();
        for (const [i, { lane, turns }] of steps.entries()) {
          lanes.add(lane, (done) => {
            assert.equal(running.get(lane) ?? 0, 0);
            running.set(lane, 1);
            began.set(lane, [...(began.get(lane) ?? []), i]);
            const end = (left: number): void => {
              if (left > 0) return void setImmediate(end, left - 1);
              running.set(lane, 0);
              done();
            };
            end(turns);
          });
        }
        while (lanes.busy > 0) await settled();
        for (const lane of ['', 'a', 'b', 'c']) {
          const expected = [...steps.keys()].filter((i) => steps[i]?.lane === lane);
          assert.deepEqual(began.get(lane) ?? [], expected);
        }
      }),
    );
  });

  it('lanes run side by side', () => {
    const lanes = lanesOfSteps();
    const began: string[] = [];
    for (const lane of ['a', 'b']) lanes.add(lane, () => began.push(lane));
    lanes.add('a', () => began.push('a again'));
    assert.deepEqual(began, ['a', 'b']);
    assert.equal(lanes.busy, 2);
  });

  it('a step that says twice that it is done does not let two begin', async () => {
    const lanes = lanesOfSteps();
    const began: number[] = [];
    let done: () => void = () => undefined;
    lanes.add('a', (first) => {
      done = first;
    });
    for (const i of [1, 2]) lanes.add('a', () => began.push(i));
    done();
    done();
    await settled();
    assert.deepEqual(began, [1]);
  });

  it('100,000 steps that end at once do not grow the stack', async () => {
    const lanes = lanesOfSteps();
    let ran = 0;
    for (let i = 0; i < 100_000; i++) {
      lanes.add('a', (done) => {
        ran += 1;
        done();
      });
    }
    while (lanes.busy > 0) await settled();
    assert.equal(ran, 100_000);
  });

  it('once stopped nothing more begins, and what runs may end', async () => {
    const lanes = lanesOfSteps();
    const began: string[] = [];
    let done: () => void = () => undefined;
    lanes.add('a', (first) => {
      done = first;
    });
    lanes.add('a', () => began.push('behind'));
    lanes.stop();
    lanes.add('b', () => began.push('new'));
    assert.equal(lanes.busy, 1);
    done();
    await settled();
    assert.deepEqual([began, lanes.busy], [[], 0]);
  });

  it('I5 a long lane lies on the shelf, also where the shelf takes only some, and keeps its order', async () => {
    const anItem = fc.record({ lane: fc.constantFrom('a', 'a', 'a', 'b'), shelfTakes: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(anItem, { maxLength: 400 }), async (items) => {
        const began: Record<string, number[]> = { a: [], b: [] };
        const aside = new Map<number, { lane: string; i: number }>();
        let [takes, inMemory] = [true, 0];
        const shelf = {
          put: (item: { lane: string; i: number }) => {
            if (takes) aside.set(item.i, item);
            return takes ? item.i : undefined;
          },
          take: (place: number) => {
            const item = aside.get(place);
            aside.delete(place);
            return item;
          },
        };
        const held: (() => void)[] = [];
        const lanes = new Lanes<{ lane: string; i: number }>(({ lane, i }, done) => {
          began[lane]?.push(i);
          held.push(done);
        }, shelf);
        for (const [i, { lane, shelfTakes }] of items.entries()) {
          takes = shelfTakes;
          lanes.add(lane, { lane, i });
          if (!shelfTakes) inMemory += 1;
        }
        assert.equal(lanes.shelved, aside.size);
        // Nothing was done meanwhile: one runs in each lane, and the first behind it are kept.
        assert.ok(items.length - lanes.shelved <= inMemory + 2 * (KEPT + 1));
        while (lanes.busy > 0) {
          for (const done of held.splice(0)) done();
          await settled();
        }
        assert.deepEqual([lanes.shelved, aside.size], [0, 0]);
        for (const lane of ['a', 'b'])
          assert.deepEqual(
            began[lane],
            [...items.keys()].filter((i) => items[i]?.lane === lane),
          );
      }),
      { numRuns: 50 },
    );
  });
});
