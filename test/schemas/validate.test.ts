import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import Type from 'typebox';
import { compile } from '../../schemas/validate.js';

const check = compile(
  Type.Object(
    {
      amount: Type.Integer({ minimum: 1 }),
      to: Type.Optional(Type.String()),
      lines: Type.Optional(Type.Array(Type.Object({ sku: Type.String() }, { additionalProperties: false }))),
    },
    { additionalProperties: false },
  ),
  'PAYLOAD_INVALID',
  'payload',
);

test('a value that fits is passed through', () => {
  const value = { amount: 3 };
  const checked = check(value);
  assert(isRight(checked));
  assert.equal(checked.right, value);
});

const WRONG: readonly (readonly [what: string, value: unknown, path: string, words: RegExp])[] = [
  ['a missing property', {}, '', /amount/],
  ['a wrong type', { amount: '3' }, '/amount', /integer/],
  ['a fraction', { amount: 1.5 }, '/amount', /integer/],
  ['NaN', { amount: Number.NaN }, '/amount', /integer/],
  ['a number out of range', { amount: 0 }, '/amount', />= 1/],
  ['a property that is not known', { amount: 1, amuont: 2 }, '/amuont', /not a known property/],
  ['a place inside an array', { amount: 1, lines: [{ sku: 'a' }, { sku: 1 }] }, '/lines/1/sku', /string/],
  ['a key that a pointer has to escape', { amount: 1, 'a/b~c': 1 }, '/a~1b~0c', /not a known property/],
  ['no object', 3, '', /object/],
  ['null', null, '', /object/],
  ['an array', [], '', /object/],
];

for (const [what, value, path, words] of WRONG) {
  test(`${what} is refused at its place, with the reason`, () => {
    const checked = check(value);
    assert(isLeft(checked));
    assert.equal(checked.left.code, 'PAYLOAD_INVALID');
    assert.equal(checked.left.path, path);
    assert.match(checked.left.message, words);
    assert(checked.left.message.startsWith(`payload${path} `));
  });
}

test('a property that every object inherits counts as missing', () => {
  const inherits = compile(Type.Object({ constructor: Type.Integer() }), 'PAYLOAD_INVALID', 'payload');
  assert(isLeft(inherits({})));
  assert(isRight(inherits({ constructor: 1 })));
});

test('a payload nested deeper than the stack is refused by a recursive schema, not thrown', () => {
  const recursive = compile(
    { type: 'object', properties: { inner: { $ref: '#' } }, additionalProperties: false },
    'PAYLOAD_INVALID',
    'payload',
  );
  let value: object = {};
  for (let depth = 0; depth < 100_000; depth += 1) value = { inner: value };
  const checked = recursive(value);
  assert(isLeft(checked));
  assert.match(checked.left.message, /nested too deeply/);
});
