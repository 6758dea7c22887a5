import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Prefix } from '../../journal/read/delivery-line.js';
import { fourBytes, hasByte, PATTERN, wordsOf } from '../../journal/wire/byte-words.js';

test('four bytes have one of a pattern or they do not', () => {
  const near = fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0, 9, 10, 11, 32, 33, 34, 92, 128, 138, 255),
  );
  fc.assert(
    fc.property(fc.array(near, { minLength: 4, maxLength: 4 }), (bytes) => {
      const word = fourBytes(Buffer.from(bytes));
      for (const pattern of Object.values(PATTERN))
        assert.equal(hasByte(word, pattern), bytes.includes(pattern & 255));
    }),
    { numRuns: 5_000 },
  );
});

test('a prefix is there when each of its bytes is', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 8, maxLength: 40, unit: 'grapheme-ascii' }),
      fc.string({ maxLength: 9 }),
      fc.nat(),
      (text, before, at) => {
        const bytes = Buffer.from(`${before}${text}`);
        const from = bytes.length - text.length;
        const prefix = new Prefix(text);
        assert.ok(prefix.isAt(wordsOf(bytes), from));
        assert.ok(!prefix.isAt(wordsOf(bytes.subarray(0, -1)), from));
        const index = from + (at % text.length);
        bytes[index] = (bytes[index] as number) ^ 1;
        assert.ok(!prefix.isAt(wordsOf(bytes), from));
      },
    ),
    { numRuns: 2_000 },
  );
});
