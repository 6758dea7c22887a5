import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import fc from 'fast-check';
import { RefusalFolds, type RefusedRequest } from '../../../broker/audit/refusal-folds.js';
import type { AuditRecord } from '../../../schemas/audit-record.js';

const refused = (principal: string, target = 'call.a.b'): RefusedRequest => ({
  principal,
  code: 'NOT_ALLOWED',
  target,
});

const total = (records: readonly AuditRecord[]): number =>
  records.reduce((sum, { count = 1 }) => sum + count, 0);

describe('many refusals in few records', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'] }));
  afterEach(() => mock.timers.reset());

  it('the first is written at once, and a flood becomes one record in a second with its count', () => {
    const records: AuditRecord[] = [];
    const folds = new RefusalFolds({ write: (record) => records.push(record) });
    folds.add(refused('guest', 'first'));
    assert.equal(records.length, 1);
    assert.equal(records[0]?.target, 'first');
    for (let i = 0; i < 10_000; i++) folds.add(refused('guest', `${i}`));
    assert.equal(records.length, 1);
    mock.timers.tick(1_000);
    assert.equal(records.length, 2);
    assert.equal(records[1]?.count, 10_000);
    assert.equal(records[1]?.target, '9999');
    assert.ok(records[1]?.since !== undefined);
  });

  it('a flood of a day makes fewer than 10,000 records', () => {
    const records: AuditRecord[] = [];
    const folds = new RefusalFolds({ write: (record) => records.push(record) });
    let added = 0;
    for (let second = 0; second < 86_400; second++) {
      folds.add(refused('guest'));
      added += 1;
      mock.timers.tick(1_000);
    }
    folds.close();
    assert.equal(total(records), added);
    assert.ok(records.length < 10_000, `${records.length}`);
  });

  it('no refusal is left out, whenever and by whom it comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('guest', '_a', '_b'), fc.integer({ min: 0, max: 3_000 })), {
          maxLength: 60,
        }),
        (events) => {
          const records: AuditRecord[] = [];
          const folds = new RefusalFolds({ write: (record) => records.push(record) });
          for (const [who, afterMs] of events) {
            mock.timers.tick(afterMs);
            folds.add(refused(who));
          }
          folds.close();
          for (const who of ['guest', '_a', '_b']) {
            const of = records.filter(({ principal }) => principal === who);
            assert.equal(total(of), events.filter(([each]) => each === who).length);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('a long text of a sender is cut', () => {
    const records: AuditRecord[] = [];
    const folds = new RefusalFolds({ write: (record) => records.push(record) });
    folds.add({ ...refused('guest', 'x'.repeat(60_000)), detail: 'y'.repeat(60_000) });
    folds.close();
    assert.ok(JSON.stringify(records[0]).length < 1_000);
  });
});
