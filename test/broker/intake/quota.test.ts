import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Lines } from '../../../broker/intake/lines.js';
import { Quota } from '../../../broker/intake/quota.js';

const LIMITS = { requests: 10, refused: 5, connection: 20_000, all: 50_000, each: 2_000 };

test('what is held is bounded by connection and in all, who sends little always has room, and all room comes back', () => {
  const steps = fc.array(fc.record({ name: fc.nat(5), size: fc.nat(9_000), isRelease: fc.boolean() }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(steps, (all) => {
      const quota = new Quota(LIMITS);
      const held: { connection: string; requests: number; bytes: number }[] = [];
      const of = (name: string): readonly { bytes: number }[] =>
        held.filter((each) => each.connection === name);
      const sum = (some: readonly { bytes: number }[]): number =>
        some.reduce((total, { bytes }) => total + bytes, 0);
      for (const { name: number, size, isRelease } of all) {
        const connection = String(number);
        const next = isRelease ? held.shift() : undefined;
        if (next !== undefined) quota.release(next);
        const own = of(connection);
        const { weight, isLeftOut, floods } = quota.take(connection, size);
        const isLittle = own.length < LIMITS.requests && sum(own) + size + 512 <= LIMITS.each;
        if (isLittle) assert.equal(isLeftOut, false);
        held.push({ connection, requests: 1, bytes: weight });
        assert.equal(floods, of(connection).length > LIMITS.requests + LIMITS.refused);
        if (isLeftOut) assert.equal(weight, 512);
        else assert.ok(isLittle || sum(held) <= LIMITS.all);
        if (!isLeftOut) assert.ok(sum(of(connection)) <= LIMITS.connection);
      }
      for (const each of held) quota.release(each);
      for (const number of [0, 1, 2, 3, 4, 5])
        assert.equal(quota.take(String(number), 7_000).isLeftOut, false);
    }),
    { numRuns: 100 },
  );
});

test('each connection has its order, and one with few requests waits for none of who has many', () => {
  const names = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 300 });
  fc.assert(
    fc.property(names, fc.integer({ min: 1, max: 20 }), (all, most) => {
      const lines = new Lines();
      for (const [i, connection] of all.entries()) {
        const arrival = { id: i, subject: '', reply: '', connection, headerBytes: 0, size: 1, weight: 1 };
        lines.add({ arrival: { ...arrival, isLeftOut: false }, bytes: new Uint8Array(1) });
      }
      const taken: number[] = [];
      while (lines.size > 0) taken.push(...lines.take(most, 1e9).map(({ arrival }) => arrival.id));
      assert.equal(taken.length, all.length);
      for (const name of ['a', 'b', 'c']) {
        const wanted = all.flatMap((each, i) => (each === name ? [i] : []));
        assert.deepEqual(
          taken.filter((id) => all[id] === name),
          wanted,
        );
        const last = taken.findLastIndex((id) => all[id] === name);
        assert.ok(last < wanted.length * 3);
      }
    }),
    { numRuns: 100 },
  );
});
