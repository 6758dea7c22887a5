import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, isSamePayload } from '../../schemas/canonical-json.js';
import { jsonText } from '../support/json-text.js';
import { turned } from '../support/turned.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const same = (a: string, b: string): boolean => isSamePayload(bytes(a), bytes(b));

/** JSON has one zero. */
const read = (text: string): unknown => JSON.parse(text, (_key, value) => (value === 0 ? 0 : value));

describe('whether two payloads say the same', () => {
  it('order of keys, blanks and escapes are no difference; any other value is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        assert.ok(same(JSON.stringify(a), JSON.stringify(turned(a), undefined, 1)));
        const [textA, textB] = [a, b].map((each) => JSON.stringify(JSON.parse(JSON.stringify(each))));
        const [sortedA, sortedB] = [textA, textB].map((each) => canonicalJson(bytes(each as string)));
        if (sortedA !== sortedB) assert.notEqual(textA, textB);
        else assert.deepEqual(JSON.parse(textA as string), JSON.parse(textB as string));
      }),
      { numRuns: 500 },
    );
  });

  it('one text for each value: it says the same again, and what JSON.parse reads', () => {
    fc.assert(
      fc.property(jsonText(), (text) => {
        const canonical = canonicalJson(bytes(text)) ?? assert.fail();
        assert.equal(canonicalJson(bytes(canonical)), canonical);
        assert.deepEqual(read(canonical), read(text));
      }),
      { numRuns: 500 },
    );
  });

  it('a number is the same however it is written, and no other one, of any length', () => {
    for (const [a, b] of [
      ['1', '1.0'],
      ['1000', '1e3'],
      ['-0', '0.00e5'],
      ['0.5', '5e-1'],
      ['12345678901234567890123', '1.2345678901234567890123e22'],
    ] as const)
      assert.ok(same(a, b), `${a} ${b}`);
    for (const [a, b] of [
      ['9007199254740993', '9007199254740992'],
      ['1', '-1'],
      ['1', '"1"'],
      ['1e400', '1e401'],
      ['0.1', '0.10000000000000000001'],
      ['[1,2]', '[12]'],
      ['{"a":1,"a":2}', '{"a":1}'],
      ['{"a":{}}', '{"a":[]}'],
    ] as const)
      assert.ok(!same(a, b), `${a} ${b}`);
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), fc.nat(30), (a, b, zeros) => {
        assert.equal(same(`${a}`, `${b}`), a === b);
        // JSON has no number that begins with two zeros.
        const shifted = `${a}${a === 0n ? '' : '0'.repeat(zeros)}e-${zeros}`;
        assert.ok(same(`${a}`, shifted), shifted);
      }),
    );
  });

  it('what is no JSON is the same as its own bytes only; an empty payload is {}', () => {
    assert.ok(same('', ' {}'));
    assert.ok(same('nonsense', 'nonsense') && !same('nonsense', 'nonsense '));
    assert.ok(!isSamePayload(Uint8Array.of(34, 0xff, 34), Uint8Array.of(34, 0xfe, 34)));
  });

  it('depth and size cost no more than length', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    assert.ok(same(deep, ` ${deep}`));
    const nested = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    assert.ok(same(nested, nested.replace('1', '1.0')));
  });
});
