import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { layOut } from '../../schemas/json-layout.js';
import { jsonText } from '../support/json-text.js';

test('what JSON.stringify wrote is laid out as JSON.stringify does it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(layOut(JSON.stringify(value, undefined, 3), true), JSON.stringify(value, undefined, 2));
      assert.equal(layOut(JSON.stringify(value, undefined, 3), false), JSON.stringify(value));
    }),
  );
});

test('every number and text stays as it is written, and nothing but blanks changes', () => {
  fc.assert(
    fc.property(jsonText(), (text) => {
      assert.equal(layOut(layOut(text, true), false), layOut(text, false));
      assert.deepEqual(JSON.parse(layOut(text, true)), JSON.parse(text));
      const numbers = (some: string) => some.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').match(/[-+.\deE]+/g);
      assert.deepEqual(numbers(layOut(text, true)), numbers(text));
    }),
    { numRuns: 500 },
  );
  assert.equal(layOut('[ 1.0, 9007199254740993 ]', false), '[1.0,9007199254740993]');
});

test('depth costs no more than length', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  assert.equal(layOut(` ${deep}`, true), deep);
});
