import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HEADER } from '../../schemas/headers.js';
import { Findings } from '../../replay/verify/findings.js';
import type { RecordView } from '../../replay/verify/record-view.js';
import { VerifyWaits } from '../../replay/verify/verify-waits.js';

/** As much of a record as waits are judged by. */
const viewOf = (seq: number, cause: number, call: number, until?: string): RecordView =>
  ({
    seq,
    headers: { cause, call },
    record: { timeMs: 0, header: (name: string) => (name === HEADER.until ? until : undefined) },
    text: () => 'm',
  }) as unknown as RecordView;

const UNTIL = '2026-01-01T00:00:00Z';

test('a wake that was on its way when its command got its result is no finding, once for each wait', () => {
  const plan = fc.record({
    calls: fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 }),
    woken: fc.integer({ min: 0, max: 6 }),
    others: fc.array(fc.integer({ min: 1, max: 25 }), { maxLength: 12 }),
  });
  fc.assert(
    fc.property(plan, ({ calls, woken, others }) => {
      const findings = new Findings(100);
      const waits = new VerifyWaits(findings, 1);
      for (const call of calls) waits.stepped(viewOf(call, 7, call, UNTIL));
      const before = calls.slice(0, woken);
      for (const call of before) waits.woken(viewOf(100 + call, 7, call));
      waits.answered(7);
      // What was open then may be woken once behind the result, and nothing else.
      const open = new Set(calls.slice(woken));
      for (const call of others)
        assert.equal(waits.isLate(viewOf(200, 7, call)), open.delete(call), `${call}`);
      assert.equal(waits.isLate(viewOf(300, 8, 1)), false);
      assert.equal(findings.total, 0);
    }),
  );
});
