import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CrashRecord } from '../../../broker/supervisor/crash-record.js';
import { EPOCH_BURST, EPOCH_INTERVAL_MS, EpochPace } from '../../../broker/supervisor/epoch-pace.js';

describe('the pace of epochs', () => {
  it('whenever a module asks, no stretch of time has more than the burst and one an interval', () => {
    fc.assert(
      fc.property(
        // Mostly faster than the interval: what is seldom never comes to the end of the burst.
        fc.array(
          fc.oneof(
            { weight: 9, arbitrary: fc.nat(EPOCH_INTERVAL_MS / 2) },
            { weight: 1, arbitrary: fc.nat(5_000) },
          ),
          {
            minLength: 2 * EPOCH_BURST,
            maxLength: 200,
          },
        ),
        (pauses) => {
          let now = 0;
          const pace = new EpochPace(EPOCH_INTERVAL_MS, () => now);
          const opened: number[] = [];
          for (const pause of pauses) {
            now += pause;
            // It is opened at the end of its pause, and the module asks again behind that.
            now += pace.take();
            opened.push(now);
          }
          for (const [i, from] of opened.entries()) {
            for (let j = i; j < opened.length; j++) {
              const most = EPOCH_BURST + Math.ceil(((opened[j] as number) - from) / EPOCH_INTERVAL_MS);
              assert.ok(j - i + 1 <= most, `${j - i + 1} epochs within ${(opened[j] as number) - from} ms`);
            }
          }
        },
      ),
    );
  });

  it('one that asks seldom does not wait', () => {
    let now = 0;
    const pace = new EpochPace(EPOCH_INTERVAL_MS, () => now);
    for (let i = 0; i < 100; i++) {
      assert.equal(pace.take(), 0);
      now += EPOCH_INTERVAL_MS;
    }
  });
});

describe('when a module has crashed enough', () => {
  /** What comes again and again: a start that fails after so long, or a process that runs for so long. */
  const failures = fc.record({
    kind: fc.constantFrom('failed', 'ended'),
    afterMs: fc.integer({ min: 1, max: 59_000 }),
  });

  it('it is parked for any limit, however slowly it fails', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.array(failures, { minLength: 1, maxLength: 5 }),
        (limit, row) => {
          let now = 0;
          const record = new CrashRecord(limit, () => now);
          for (let i = 0; i < Math.max(limit, 20); i++) {
            const { kind, afterMs } = row[i % row.length] as { kind: string; afterMs: number };
            now += afterMs;
            const parked = kind === 'failed' ? record.failed() : record.ended(afterMs);
            if (parked !== undefined) return;
          }
          assert.fail(`not parked after ${Math.max(limit, 20)} failures`);
        },
      ),
    );
  });

  it('one that never becomes ready is parked after ten starts, however high its limit is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.array(fc.integer({ min: 1, max: 120_000 }), { minLength: 10, maxLength: 10 }),
        (limit, starts) => {
          let now = 0;
          const record = new CrashRecord(limit, () => now);
          const parked = starts.findIndex((afterMs) => {
            now += afterMs;
            return record.failed() !== undefined;
          });
          assert.equal(parked + 1, Math.min(limit, 10));
        },
      ),
    );
  });

  it('one that runs for more than a minute each time is not', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 1_000 }),
        fc.array(fc.integer({ min: 60_001, max: 600_000 }), { minLength: 1, maxLength: 100 }),
        (limit, runs) => {
          let now = 0;
          const record = new CrashRecord(limit, () => now);
          for (const ranMs of runs) {
            now += ranMs;
            assert.equal(record.ended(ranMs), undefined);
          }
        },
      ),
    );
  });
});
