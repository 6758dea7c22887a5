import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS } from '../../schemas/error-table.js';
import { NEXT_STEP } from '../../schemas/next-steps.js';

test('each error of the table has a next step: an instruction for a person', () => {
  assert.deepEqual(Object.keys(NEXT_STEP).toSorted(), Object.keys(ERRORS).toSorted());
  for (const [code, step] of Object.entries(NEXT_STEP)) {
    assert.match(step, /^[A-Z][a-z]+ .*\.$/, code);
    assert.ok(step.length <= 110, `${code}: ${step.length}`);
    // The meaning tells what happened. The step must tell more.
    assert.notEqual(step, ERRORS[code as keyof typeof ERRORS].meaning, code);
  }
});
