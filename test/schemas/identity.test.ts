import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import Schema from 'typebox/schema';
import {
  copyId,
  formatIdentity,
  formatPart,
  parseIdentity,
  parsePart,
  parseSequence,
} from '../../schemas/identity.js';
import { OutSchema } from '../../schemas/result.js';
import { name, sequence } from './arbitraries.js';

test('an identity that is formatted parses to itself', () => {
  fc.assert(
    fc.property(name(), sequence(), sequence(), (producer, epoch, n) => {
      const identity = { producer, epoch, n };
      assert.deepEqual(parseIdentity(formatIdentity(identity)), identity);
    }),
  );
});

test('an identity that parses is formatted to the same text, so no two texts mean one record', () => {
  const digits = fc.stringMatching(/^[0-9]{1,17}$/);
  fc.assert(
    fc.property(name(), digits, digits, (producer, epoch, n) => {
      const text = `${producer}.${epoch}.${n}`;
      const parsed = parseIdentity(text);
      assert(parsed === undefined || formatIdentity(parsed) === text);
    }),
  );
});

test('numbers that a double cannot tell apart are no sequences', () => {
  assert.equal(parseSequence('9007199254740991'), Number.MAX_SAFE_INTEGER);
  assert.equal(parseSequence('9007199254740993'), undefined);
  assert.equal(parseIdentity('a.9999999999999999.1'), undefined);
  assert.equal(parseIdentity('a.1.9999999999999999'), undefined);
});

test('what is no identity is not read as one', () => {
  for (const text of [
    '',
    'a',
    'a.1',
    'a.0.1',
    'a.1.0',
    'a.01.1',
    'a.1.1.1',
    'a b.1.1',
    '.1.1',
    'a.1.1\n',
    'a.-1.1',
  ]) {
    assert.equal(parseIdentity(text), undefined, JSON.stringify(text));
  }
});

test('what is no sequence is not read as one', () => {
  fc.assert(fc.property(sequence(), (n) => parseSequence(String(n)) === n));
  for (const text of ['', '0', '01', '-1', '1.0', '1e3', ' 1', '1\n', '0x10', 'NaN']) {
    assert.equal(parseSequence(text), undefined, JSON.stringify(text));
  }
});

test('a part parses both ways and never exceeds its whole', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999 }), fc.integer({ min: 0, max: 999 }), (i, more) => {
      const part = { i, n: i + more };
      assert.deepEqual(parsePart(formatPart(part)), part);
    }),
  );
  for (const text of ['2/1', '0/1', '1/0', '1', '/1', '1/', '01/2', '1/2/3', '1/2\n']) {
    assert.equal(parsePart(text), undefined, JSON.stringify(text));
  }
});

test('the identity of a copy is what a result may carry', () => {
  const check = Schema.Compile(OutSchema);
  fc.assert(
    fc.property(sequence(), fc.integer({ min: 1, max: 1000 }), (cause, i) =>
      check.Check({ subject: 'evt.m.e', id: copyId(cause, i), data: null }),
    ),
  );
});
