import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SequencePages, SequenceSet } from '../../replay/verify/sequence-pages.js';

/** Near each other, in other pages, and above what fits in 31 bits. */
const sequences = fc.array(
  fc.tuple(fc.constantFrom(1, 500, 40_000, 2 ** 31 - 300, 2 ** 40), fc.nat(600)).map(([base, i]) => base + i),
  { minLength: 1, maxLength: 300 },
);

test('pages hold what was set and not cleared, with its detail', () => {
  fc.assert(
    fc.property(sequences, (touched) => {
      const pages = new SequencePages(true);
      const model = new Map<number, number>();
      // The second time a sequence comes it is taken away.
      for (const [i, seq] of touched.entries()) {
        if (model.delete(seq)) pages.clear(seq);
        else {
          model.set(seq, i + 1);
          pages.set(seq, i + 1, i + 0.5);
        }
      }
      assert.equal(pages.size, model.size);
      assert.deepEqual(
        [...pages.sequences()],
        [...model.keys()].sort((a, b) => a - b),
      );
      for (const seq of touched) assert.equal(pages.get(seq), model.get(seq) ?? 0);
      for (const [seq, value] of model) assert.equal(pages.detail(seq), value - 0.5);
    }),
  );
});

test('a set has what was added, from where it begins', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100_000)), fc.integer({ min: 1, max: 2 ** 40 }), (offsets, fromSeq) => {
      const set = new SequenceSet(fromSeq);
      const added = new Set(offsets);
      for (const offset of offsets) set.add(fromSeq + offset);
      for (const offset of [...added, 0, 7, 32_768, 99_999, 1_000_000])
        assert.equal(set.has(fromSeq + offset), added.has(offset));
      assert.equal(set.has(fromSeq - 1), false);
    }),
  );
});
