import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { wordsOf } from '../../journal/wire/byte-words.js';
import { ByteHash } from '../../replay/verify/byte-hash.js';

const hash = new ByteHash();
const of = (...pieces: readonly Uint8Array[]): number => {
  hash.reset();
  for (const piece of pieces) hash.add(wordsOf(piece), 0, piece.length);
  return hash.value;
};

test('a byte that is changed, left out or moved changes the fingerprint', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (bytes, at, difference) => {
        const index = at % bytes.length;
        const value = of(bytes);
        assert.ok(Number.isSafeInteger(value) && value > 0);
        const changed = Uint8Array.from(bytes);
        changed[index] = (changed[index] as number) ^ difference;
        assert.notEqual(of(changed), value);
        assert.notEqual(of(bytes.subarray(1)), value);
        if (index > 0) assert.notEqual(of(bytes.subarray(0, index), bytes.subarray(index)), value);
        const [first] = bytes;
        const moved = Uint8Array.from([...bytes.subarray(1), first as number]);
        if (bytes.some((byte) => byte !== first)) assert.notEqual(of(moved), value);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('names that differ little have fingerprints of their own', () => {
  const names = Array.from({ length: 100_000 }, (_, i) => [`a${i}`, `agent-${i}`, `${i}-0000-0000`]).flat();
  const values = new Set(names.map((name) => of(Buffer.from('accounts'), Buffer.from(name))));
  assert.equal(values.size, names.length);
});
