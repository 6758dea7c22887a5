import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Lanes } from '../../../modules/host/lanes.js';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('lanes', () => {
  it('I5 steps of one lane run one at a time in their order, whenever each ends; none is left out', async () => {
    const step = fc.record({
      lane: fc.constantFrom('', 'a', 'b', 'c'),
      turns: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const lanes = new Lanes();
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
    const lanes = new Lanes();
    const began: string[] = [];
    for (const lane of ['a', 'b']) lanes.add(lane, () => began.push(lane));
    lanes.add('a', () => began.push('a again'));
    assert.deepEqual(began, ['a', 'b']);
    assert.equal(lanes.busy, 2);
  });

  it('a step that says twice that it is done does not let two begin', async () => {
    const lanes = new Lanes();
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
    const lanes = new Lanes();
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
    const lanes = new Lanes();
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
});
