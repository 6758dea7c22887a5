import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { axisOf } from '../../perf/burst/picture.js';

const value = fc.integer({ min: 0, max: 1_000_000 });

test('an axis shows all values, or nearly all of them and says how high the rest is', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 300 }), (values) => {
      const { end, above } = axisOf(values);
      const hidden = values.filter((each) => each > end);
      if (above === undefined) assert.equal(hidden.length, 0);
      else {
        assert.equal(above, Math.max(...values));
        assert.ok(hidden.length <= Math.ceil(values.length * 0.02), `${hidden.length} of ${values.length}`);
      }
    }),
  );
});

test('one spike does not flatten the rest', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 500, max: 1_000 }), { minLength: 60, maxLength: 300 }),
      (values) => {
        const { end, above } = axisOf([...values, 900_000]);
        assert.ok(end <= 1_000, `${end}`);
        assert.equal(above, 900_000);
      },
    ),
  );
});
