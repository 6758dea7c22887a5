import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLeft, right } from 'fp-ts/lib/Either.js';
import { encodeJson, jsonOrText, parseJson } from '../../schemas/json.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('a JSON value comes back as it was encoded', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const expected = JSON.parse(JSON.stringify(value));
      assert.deepEqual(parseJson(encodeJson(value)), right(expected));
      assert.deepEqual(jsonOrText(encodeJson(value)), expected);
    }),
  );
});

test('an empty payload is an empty object, so that an action without input needs none', () => {
  assert.deepEqual(parseJson(new Uint8Array()), right({}));
});

test('what is not JSON is refused with the reason', () => {
  for (const text of ['{', 'deposit', "{'a':1}", '{"a":1,}', 'NaN', 'undefined', '1 2']) {
    const parsed = parseJson(bytes(text));
    assert(isLeft(parsed), text);
    assert.equal(parsed.left.code, 'PAYLOAD_NOT_JSON');
  }
});

test('bytes that are no UTF-8 are refused, not repaired: a repaired payload is not what was sent', () => {
  assert(isLeft(parseJson(Uint8Array.of(0x22, 0xff, 0x22))));
});

test('history shows the text of a payload that is not JSON, and null for none', () => {
  assert.equal(jsonOrText(bytes('hello')), 'hello');
  assert.equal(jsonOrText(new Uint8Array()), null);
});
