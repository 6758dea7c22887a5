import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Backoff } from '../../../system/async/backoff.js';
import { inTurn } from '../../../system/async/in-turn.js';
import { pause } from '../../../system/async/pause.js';
import { SerialQueue } from '../../../system/async/serial-queue.js';

const AN_HOUR = 3_600_000;

describe('a pause', () => {
  it('ends at once when its signal is aborted', async () => {
    const ending = new AbortController();
    const paused = pause(AN_HOUR, { signal: ending.signal });
    ending.abort();
    await paused;
    await pause(AN_HOUR, { signal: ending.signal });
  });
});

describe('a backoff', () => {
  it('doubles each pause up to the longest, and begins again after a reset', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 64 }), (first, times) => {
        const longest = first * times;
        const backoff = new Backoff(first, longest);
        const taken = Array.from({ length: 10 }, () => backoff.take());
        assert.deepEqual(
          taken,
          taken.map((_, i) => Math.min(first * 2 ** i, longest)),
        );
        assert.equal(backoff.nextMs, longest);
        backoff.reset();
        assert.equal(backoff.take(), first);
      }),
    );
  });

  it('takes a longest pause for one step', () => {
    const backoff = new Backoff(100);
    assert.deepEqual([backoff.take(150), backoff.take(1_000), backoff.take()], [100, 150, 300]);
  });
});

describe('a serial queue', () => {
  it('runs one task at a time, in their order, also after one that fails', async () => {
    const queue = new SerialQueue();
    const seen: string[] = [];
    const task = (name: string) => async () => {
      seen.push(`${name} begins`);
      await new Promise((resume) => setImmediate(resume));
      seen.push(`${name} ends`);
      if (name === 'b') throw new Error('b fails');
      return name;
    };
    const all = ['a', 'b', 'c'].map((name) => queue.run(task(name)));
    assert.equal(queue.length, 3);
    const outcomes = await Promise.allSettled(all);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(
      seen,
      ['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]),
    );
    assert.equal(queue.length, 0);
  });

  it('is idle when what came so far has ended', async () => {
    const queue = new SerialQueue();
    const ended: number[] = [];
    const failing = queue.run(() => Promise.reject(new Error('no')));
    for (const n of [1, 2]) void queue.run(() => ended.push(n));
    await queue.idle();
    assert.deepEqual(ended, [1, 2]);
    await assert.rejects(failing, /no/);
  });

  it('lets tasks of different names run at the same time', async () => {
    let finish: () => void = () => undefined;
    const first = inTurn('a', () => new Promise<void>((resume) => (finish = resume)));
    await inTurn('b', async () => finish());
    await first;
  });
});
