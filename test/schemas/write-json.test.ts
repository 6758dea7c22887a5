import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { changesBetween } from '../../replay/state/changes.js';
import { sameJson } from '../../replay/expression/json-value.js';
import { writeJson } from '../../schemas/write-json.js';

/** A value in so many lists and objects. */
const wrapped = (value: unknown, depth: number): unknown => {
  let whole = value;
  for (let i = 0; i < depth; i++) whole = i % 2 === 0 ? [whole, i] : { '"a\n': whole, b: [] };
  return whole;
};

test('a value is written as JSON.stringify writes it, and a deep one too', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.boolean(), (value, onLines) => {
      assert.equal(writeJson(value, onLines), JSON.stringify(value, null, onLines ? 2 : 0));
    }),
  );
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 10_000, max: 20_000 }), (value, depth) => {
      const deep = writeJson(wrapped(value, depth));
      // What JSON.stringify can write of it, level for level.
      const [start, end] = [deep.indexOf(JSON.stringify(value)), JSON.stringify(value).length];
      assert.ok(start > 0);
      assert.equal(deep.slice(start, start + end), JSON.stringify(value));
      assert.equal(writeJson(JSON.parse(deep) as unknown), deep);
    }),
    { numRuns: 5 },
  );
});

test('values of any depth are compared, and what differs far down is a change', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.integer({ min: 0, max: 10_000 }), (a, b, depth) => {
      const same = sameJson(a, b);
      const [was, is] = [wrapped(a, depth), wrapped(b, depth)];
      assert.equal(sameJson(was, is), same);
      assert.equal(changesBetween(was, is).length === 0, same);
    }),
    { numRuns: 15, examples: [[1, 2, 100_000]] },
  );
});
