import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import Type from 'typebox';
import { compile } from '../../schemas/validate.js';
import { failure } from '../support/either.js';

const PARTS = 20_000;

/** The value, and how many of its parts were read so far. */
const counting = <T extends object>(value: T): { readonly value: T; readonly read: () => number } => {
  let reads = 0;
  const counted = new Proxy(value, {
    get: (target, key, receiver) => {
      if (typeof key === 'string' && /^(?:k?\d+)$/.test(key)) reads += 1;
      return Reflect.get(target, key, receiver) as unknown;
    },
  });
  return { value: counted, read: () => reads };
};

const keyed = (parts: readonly unknown[]): Record<string, unknown> =>
  Object.fromEntries(parts.map((part, i) => [`k${i}`, part]));

/** Parts that fit, and from a place on only such as do not. */
const wrongFrom = (place: number): readonly unknown[] =>
  Array.from({ length: PARTS }, (_, i) => (i < place ? i : `wrong ${i}`));

const KINDS = {
  array: { schema: Type.Array(Type.Integer()), make: (parts: readonly unknown[]) => [...parts] },
  either: {
    schema: Type.Union([Type.Array(Type.Integer()), Type.Array(Type.Null())]),
    make: (parts: readonly unknown[]) => [...parts],
  },
  shut: {
    schema: Type.Object(
      Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`k${i}`, Type.Optional(Type.Integer())])),
      { additionalProperties: false },
    ),
    make: keyed,
  },
} as const;

describe('what it costs to say why a payload does not fit', () => {
  it('goes by the first part that is wrong, not by how many there are', () => {
    const kind = fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[]));
    fc.assert(
      fc.property(kind, fc.integer({ min: 0, max: 200 }), (name, place) => {
        const { schema, make } = KINDS[name];
        const { value, read } = counting<object>(make(wrongFrom(place)));
        const { message, path } = failure(compile(schema, 'PAYLOAD_INVALID', 'payload')(value));
        // Once to check, once for each way in which it could fit, and some for the schema's own names.
        assert.ok(read() <= 5 * (place + 200), `${read()} parts were read; the first wrong one is ${place}`);
        if (name === 'array') assert.equal(path, `/${place}`, message);
      }),
      { numRuns: 60 },
    );
  });

  it('is bounded where what is wrong stands behind all that fits', () => {
    const schema = Type.Array(Type.Integer(), { maxItems: PARTS - 1 });
    const many = counting(Array.from({ length: 3 * PARTS }, (_, i) => i));
    const { message } = failure(compile(schema, 'PAYLOAD_INVALID', 'payload')(many.value));
    assert.match(message, /^payload /);
    assert.ok(many.read() <= 4 * PARTS, `${many.read()} parts were read`);
  });
});
