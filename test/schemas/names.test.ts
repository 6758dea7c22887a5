import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import {
  INVALID_PART,
  isModuleName,
  isName,
  parseName,
  RESERVED_NAMES,
  partOrInvalid,
} from '../../schemas/names.js';
import { name, noName } from './arbitraries.js';

test('a name is 1 to 64 of A-Z a-z 0-9 _ -', () => {
  fc.assert(fc.property(name(), (text) => isName(text) && isRight(parseName('agent', text))));
});

test('what is no name is refused, and the fault quotes it', () => {
  fc.assert(
    fc.property(noName(), (text) => {
      assert.equal(isName(text), false);
      const parsed = parseName('agent', text);
      assert(isLeft(parsed));
      assert.equal(parsed.left.code, 'NAME_INVALID');
      assert(parsed.left.message.includes(JSON.stringify(text)));
    }),
  );
});

test('a module takes no reserved name, and none that begins with _', () => {
  for (const reserved of RESERVED_NAMES) {
    assert.equal(isName(reserved), true);
    assert.equal(isModuleName(reserved), false);
  }
  assert.equal(isModuleName('_mine'), false);
  assert.equal(isModuleName('__proto__'), false);
  assert.equal(isModuleName('mine_'), true);
});

test('a token that is no name becomes one that no module can have', () => {
  fc.assert(fc.property(noName(), (text) => partOrInvalid(text) === INVALID_PART));
  fc.assert(fc.property(name(), (text) => partOrInvalid(text) === text));
  assert.equal(isName(INVALID_PART), true);
  assert.equal(isModuleName(INVALID_PART), false);
});
