import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isRight } from 'fp-ts/lib/Either.js';
import { sameJson } from '../../../replay/expression/json-value.js';
import { changesBetween, parsePath, printPath, valueAt } from '../../../replay/index.js';
import { failure, success } from '../../support/either.js';

/** Also halves of surrogate pairs. */
const ANY = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));

test('changes name each place that was added, removed or changed, and nothing else', () => {
  const before = { balance: 1, items: [{ sku: 'a', n: 1 }, 'x'], gone: null, same: { a: [1] } };
  const after = { balance: 2, items: [{ sku: 'a', n: 2 }], 'a key': { b: 1 }, same: { a: [1] } };
  assert.deepEqual(changesBetween(before, after), [
    { path: 'balance', from: 1, to: 2 },
    { path: 'items[0].n', from: 1, to: 2 },
    { path: 'items[1]', from: 'x' },
    { path: 'gone', from: null },
    { path: '["a key"]', to: { b: 1 } },
  ]);
  assert.deepEqual(changesBetween({ a: [] }, { a: {} }), [{ path: 'a', from: [], to: {} }]);
  assert.deepEqual(changesBetween(1, { a: 1 }), [{ path: '', from: 1, to: { a: 1 } }]);
  assert.deepEqual(changesBetween({ a: 0 }, { a: -0 }), []);
});

test('what a change says stands at its path before and after, and no two changes overlap', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (before, after) => {
      const changes = changesBetween(before, after);
      assert.equal(changes.length === 0, sameJson(before, after));
      assert.equal(new Set(changes.map(({ path }) => path)).size, changes.length);
      for (const { path, ...change } of changes) {
        const at = path === '' ? [] : success(parsePath(path));
        assert.ok(sameJson(valueAt(before, at), change.from), path);
        assert.ok(sameJson(valueAt(after, at), change.to), path);
      }
    }),
    { numRuns: 500 },
  );
});

test('a path that is printed and read again is the same path, and no text makes reading one throw', () => {
  const key = fc.oneof(fc.string({ unit: ANY }), fc.nat(), fc.constantFrom('in', 'null', '__proto__'));
  fc.assert(
    fc.property(fc.array(key, { minLength: 1, maxLength: 6 }), (path) => {
      assert.deepEqual(success(parsePath(printPath(path))), path);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: ANY }), (text) => {
      const parsed = parsePath(text);
      assert.ok(isRight(parsed) || parsed.left.code === 'EXPRESSION_INVALID');
    }),
  );
  for (const [text, column] of [
    ['', 1],
    ['a..b', 2],
    ['a b', 3],
    ['.a', 1],
    ['a[b]', 2],
    ['a["x"', 2],
    ['state.a + 1', 9],
  ] as const) {
    assert.match(failure(parsePath(text)).message, new RegExp(`^column ${column}: `), text);
  }
  assert.equal(valueAt({ a: { b: 1 } }, ['a', 'constructor']), undefined);
});
