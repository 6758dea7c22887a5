import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { messageOf } from '../../text/thrown-message.js';

const throwing = (): never => {
  throw new Error('do not look');
};

/** Values of all kinds, also those that throw when they are read or shown. */
const anyValue = fc.oneof(
  fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true }),
  fc.constantFrom(
    Symbol('no seats'),
    () => 'no seats',
    class Seats {},
    Promise.resolve(1),
    new Proxy({}, {}),
  ),
  fc.constantFrom(new Proxy({}, { getPrototypeOf: throwing, get: throwing }), { toString: throwing }),
);

describe('the message of a thrown value', () => {
  it('is one short line that tells what was thrown, whatever it is', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const message = messageOf(value);
        assert.match(message, /^(?:.+, which is no Error|a value that cannot be read)$/u);
        assert.ok(message.length <= 450, message);
      }),
    );
  });

  it('shows simple values as code writes them', () => {
    const shown: readonly (readonly [unknown, string])[] = [
      [undefined, 'undefined'],
      [null, 'null'],
      ['no seats', '"no seats"'],
      ['', '""'],
      [{ code: 5 }, '{"code":5}'],
      [[1n], 'an object of the kind Array'],
      [new Map(), 'Map {}'],
      [5n, '5n'],
      [Symbol('no seats'), 'Symbol(no seats)'],
    ];
    for (const [value, text] of shown) assert.equal(messageOf(value), `${text}, which is no Error`);
  });

  it('is that of an Error, and never empty', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (text) => assert.equal(messageOf(new Error(text)), text)),
    );
    assert.equal(
      messageOf(Object.assign(new RangeError('x'), { message: '' })),
      'RangeError without a message',
    );
    const unreadable = Object.defineProperty(new Error('x'), 'message', { get: throwing });
    assert.equal(messageOf(unreadable), 'a value that cannot be read');
  });
});
