import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import fc from 'fast-check';
import {
  changedLimits,
  LIMIT_NAMES,
  type LimitChange,
  limitText,
  limitTexts,
  parseLimit,
  parseLimits,
} from '../../schemas/principal-limits.js';
import { success } from '../support/either.js';

const change: fc.Arbitrary<LimitChange> = fc.record(
  {
    name: fc.constantFrom(...LIMIT_NAMES),
    value: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 100 })),
  },
  { noNullPrototype: true },
);

const written = ({ name, value }: LimitChange): string =>
  value === null ? `${name}=default` : limitText(name, value);

describe('limits of principals as text', () => {
  it('what is written is read again as the same limit, with and without a unit', () => {
    fc.assert(
      fc.property(change, (each) => {
        assert.deepEqual(success(parseLimit(written(each))), each);
        if (each.value !== null) assert.deepEqual(success(parseLimit(`${each.name}=${each.value}`)), each);
      }),
    );
    assert.deepEqual(success(parseLimit('bytes=1MiB/s')), { name: 'bytes', value: 1_048_576 });
    assert.deepEqual(success(parseLimit(' payload = 64KiB ')), { name: 'payload', value: 65_536 });
  });

  it('the last change of a name counts, and the same limits are the same bytes in any order', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const expected = new Map<string, number>();
        for (const { name, value } of changes) {
          if (value === null) expected.delete(name);
          else expected.set(name, value);
        }
        const limits = changedLimits({}, changes);
        assert.deepEqual(new Map(Object.entries(limits)), expected);
        const again = changedLimits({}, success(parseLimits([...limitTexts(limits)].reverse())));
        assert.equal(JSON.stringify(again), JSON.stringify(limits));
      }),
    );
  });

  it('a text that is no limit is refused with LIMIT_INVALID, whatever it is', () => {
    const bad = [
      '',
      'rate',
      'rate=',
      'rate=0',
      'rate=-1',
      'rate=1.5',
      'rate=1/m',
      'speed=1',
      'depth=501',
      'payload=2MiB',
    ];
    for (const text of bad) {
      const read = parseLimit(text);
      assert.ok(isLeft(read), text);
      assert.equal(read.left.code, 'LIMIT_INVALID');
    }
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `rate=${text}`),
        ),
        (text) => {
          const read = parseLimit(text);
          if (isLeft(read)) assert.equal(read.left.code, 'LIMIT_INVALID');
          else if (isRight(read)) assert.ok(read.right.value === null || read.right.value >= 1);
        },
      ),
    );
  });
});
