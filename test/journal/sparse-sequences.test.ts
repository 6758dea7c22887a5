import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SparseSequences } from '../../journal/wire/sparse-sequences.js';

/** Close together, at the edges of chunks, and far away. */
const sequence = fc.oneof(
  fc.nat(100),
  fc.integer({ min: 4_090, max: 4_100 }),
  fc.integer({ min: 2 ** 31 - 2, max: 2 ** 31 + 2 }),
  fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1),
);

test('sequences in bits are what a set of numbers would be', () => {
  const step = fc.record({ kind: fc.constantFrom('add', 'add', 'delete'), seq: sequence });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const [bits, set, all] = [new SparseSequences(), new Set<number>(), new Set<number>()];
      for (const { kind, seq } of steps) {
        if (kind === 'delete') assert.equal(bits.delete(seq), set.delete(seq));
        else {
          bits.add(seq);
          set.add(seq);
          all.add(seq);
        }
        assert.equal(bits.size, set.size);
        for (const each of [seq, seq + 1, seq - 1]) assert.equal(bits.has(each), set.has(each));
      }
      assert.equal(bits.highest, Math.max(0, ...all));
      assert.equal(bits.lowest, Math.min(Number.POSITIVE_INFINITY, ...all));
    }),
  );
});

test('five million sequences of fifteen take a few MB', () => {
  globalThis.gc?.();
  const before = process.memoryUsage();
  const bits = new SparseSequences();
  for (let seq = 0; seq < 15_000_000; seq += 3) bits.add(seq);
  const after = process.memoryUsage();
  assert.equal(bits.size, 5_000_000);
  const taken = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  assert.ok(taken < 20_000_000, `${taken} bytes`);
});
