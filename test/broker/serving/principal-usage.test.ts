import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { limitsInForce } from '../../../broker/access/limits.js';
import { PrincipalUsage } from '../../../broker/serving/principal-usage.js';

const EMPTY = new Uint8Array(0);
const small = { bytes: 10, data: EMPTY };

describe('what an account uses', () => {
  it('I12 no more than a second and the allowance pass by a rate, however the requests come', () => {
    const steps = fc.array(
      fc.record({ ms: fc.integer({ min: 0, max: 400 }), requests: fc.integer({ min: 0, max: 40 }) }),
      {
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), steps, (rate, all) => {
        let now = 0;
        const usage = new PrincipalUsage('_ci', limitsInForce({ rate }), () => now);
        let admitted = 0;
        for (const { ms, requests } of all) {
          now += ms;
          for (let i = 0; i < requests; i++) {
            const problem = usage.admit(small);
            if (problem === undefined) {
              admitted += 1;
              continue;
            }
            assert.equal(problem.code, 'OVERLOADED');
            assert.match(problem.message, new RegExp(`limit rate=${rate}/s`));
            const waitMs = problem.retryAfterMs ?? 0;
            assert.ok(waitMs >= 1 && waitMs <= 1_000, problem.message);
            // The time that it names is right: then one more passes.
            now += waitMs;
            assert.equal(usage.admit(small), undefined);
            admitted += 1;
          }
        }
        assert.ok(admitted <= rate + (now * rate) / 1_000 + 1, `${admitted} in ${now} ms`);
      }),
    );
  });

  it('a request larger than the bytes of a second passes, and the next ones wait for it', () => {
    let now = 0;
    const usage = new PrincipalUsage('_ci', limitsInForce({ bytes: 100 }), () => now);
    assert.equal(usage.admit({ bytes: 250, data: EMPTY }), undefined);
    const problem = usage.admit(small);
    assert.match(problem?.message ?? '', /limit bytes=100B\/s/);
    assert.equal(problem?.retryAfterMs, 1_600);
    now += 1_600;
    assert.equal(usage.admit(small), undefined);
  });

  it('numbered records that come too fast keep their order and all of them pass', async () => {
    const usage = new PrincipalUsage('_ci', limitsInForce({ rate: 500 }));
    const all = Array.from({ length: 600 }, (_, i) => i);
    const taken: number[] = [];
    await new Promise<void>((resolve) => {
      const hold = setInterval(() => undefined, 1_000);
      for (const i of all) {
        const problem = usage.pace(small, () => {
          taken.push(i);
          if (taken.length < all.length) return;
          clearInterval(hold);
          resolve();
        });
        assert.equal(problem, undefined);
      }
      assert.ok(taken.length < all.length, 'the last ones wait');
    });
    assert.deepEqual(taken, all);
  });
});
