import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { storedOutcome } from '../../../modules/host/stored-outcome.js';
import { type Outcome, outcomeOf, refusedOutcome, threw } from '../../../modules/host/handler-outcome.js';
import { backoffMs, pauseBeforeNext } from '../../../modules/host/retry.js';
import { compileChecks } from '../../../modules/sdk/checks.js';
import type { AnyModule, Command } from '../../../modules/sdk/module-shape.js';
import { fault } from '../../../schemas/errors.js';
import { DEFAULT_RETRY, type Retry, retryOf } from '../../../schemas/manifest.js';
import { counter } from '../counter.js';

const module = counter() as unknown as AnyModule;
const command: Command = { seq: 9, time: '', agent: 'a', sender: 'guest', conversation: 9, data: {} };

const rejected = (retryable: boolean): Outcome =>
  outcomeOf(module, compileChecks(module.manifest), 'add', command, {
    _tag: 'Left',
    left: { code: 'NO', message: 'no', retryable },
  });
const THREW = threw('m.a', new Error('no'));
const FIVE: Retry = { attempts: 5, backoffMs: 100, maxBackoffMs: 1_000 };
const next = (outcome: Outcome, tried = 1, deadline?: number, retry = FIVE): number | undefined =>
  pauseBeforeNext(retry, outcome, tried, deadline, 0, 0);

const bodyOf = (outcome: Outcome): unknown => JSON.parse(Buffer.from(storedOutcome(outcome).body).toString());

describe('whether a command is tried again', () => {
  it('is so when the handler threw, was late, or says that it may work later', () => {
    for (const outcome of [THREW, refusedOutcome(fault('HANDLER_TIMEOUT', 'late')), rejected(true)]) {
      assert.equal(next(outcome), 100);
    }
  });

  it('is not for an answer, nor for what would come out the same', () => {
    const same = [
      refusedOutcome(fault('OUTCOME_INVALID', 'no')),
      refusedOutcome(fault('PAYLOAD_INVALID', 'no')),
      refusedOutcome(fault('DEADLINE_PAST', 'no')),
      rejected(false),
      { ...rejected(true), final: true },
      { body: new Uint8Array(), out: [], events: [] },
    ];
    for (const outcome of same) assert.equal(next(outcome), undefined);
  });

  it('ends with the tries of the manifest, which are one where it says nothing', () => {
    assert.equal(next(THREW, 4), 800);
    assert.equal(next(THREW, 5), undefined);
    assert.deepEqual(retryOf({}), DEFAULT_RETRY);
    assert.equal(next(THREW, 1, undefined, retryOf({})), undefined);
    assert.deepEqual(retryOf({ retry: { attempts: 3 } }), { ...DEFAULT_RETRY, attempts: 3 });
  });

  it('ends where the deadline would be past before the next try: nobody waits for nothing', () => {
    assert.equal(next(THREW, 1, 100), 100);
    assert.equal(next(THREW, 1, 99), undefined);
  });
});

describe('the pause before a try', () => {
  it('doubles up to the longest, and is shortened by up to half at random', () => {
    const whole = Array.from({ length: 6 }, (_, i) => backoffMs(FIVE, i + 1, 0));
    assert.deepEqual(whole, [100, 200, 400, 800, 1_000, 1_000]);
    fc.assert(
      fc.property(
        fc.record({
          attempts: fc.constant(1_000),
          backoffMs: fc.integer({ min: 1, max: 86_400_000 }),
          maxBackoffMs: fc.integer({ min: 1, max: 86_400_000 }),
        }),
        fc.integer({ min: 1, max: 1_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (retry, tried, random) => {
          const longest = backoffMs(retry, tried, 0);
          const pause = backoffMs(retry, tried, random);
          assert.ok(
            longest <= retry.maxBackoffMs && longest >= Math.min(retry.backoffMs, retry.maxBackoffMs),
          );
          assert.ok(pause <= longest && pause >= Math.floor(longest / 2), `${pause} of ${longest}`);
          assert.ok(backoffMs(retry, tried + 1, 0) >= longest);
        },
      ),
    );
  });
});

describe('what is stored of a command that was not handled', () => {
  it('says that it is dead, and after how many tries', () => {
    const error = { code: 'HANDLER_THREW', message: 'm.a threw: no', retryable: false };
    assert.deepEqual(bodyOf(THREW), { status: 'failed', error: { ...error, attempts: 1, dead: true } });
    assert.equal(storedOutcome({ ...THREW, attempts: 4 }).dead, 4);
  });

  it('a no is no dead letter, whatever its code; only that it was tried more than once is said', () => {
    const error = { code: 'NO', message: 'no', retryable: true };
    assert.deepEqual(bodyOf(rejected(true)), { status: 'rejected', error });
    const tried = { ...rejected(true), attempts: 4 };
    assert.deepEqual(bodyOf(tried), { status: 'rejected', error: { ...error, attempts: 4 } });
    assert.equal(storedOutcome(tried).dead, undefined);
    assert.equal(storedOutcome(refusedOutcome(fault('DEADLINE_PAST', 'past'))).dead, undefined);
    const named = { ...rejected(false) };
    assert.equal(
      storedOutcome({ ...named, refusal: { status: 'rejected', error: { ...error, code: 'HANDLER_THREW' } } })
        .dead,
      undefined,
    );
  });
});
