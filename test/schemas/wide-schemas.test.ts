import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isRight } from 'fp-ts/lib/Either.js';
import { compile, type JsonSchema } from '../../schemas/validate.js';

const names = (width: number): readonly string[] => Array.from({ length: width }, (_, i) => `p${i}`);
const each = <T>(width: number, value: T): Readonly<Record<string, T>> =>
  Object.fromEntries(names(width).map((name) => [name, value]));
const full = (width: number): Record<string, unknown> => ({ ...each(width, 1) });
const without = (width: number, i: number): Record<string, unknown> => {
  const { [`p${i}`]: _, ...rest } = full(width);
  return rest;
};

interface Wide {
  readonly schema: (width: number) => JsonSchema;
  readonly good: (width: number, i: number) => unknown;
  /** A value that only the part with this number refuses. */
  readonly bad: (width: number, i: number) => unknown;
}

/** Each keyword whose width a manifest chooses. */
const WIDE: Readonly<Record<string, Wide>> = {
  properties: {
    schema: (width) => ({ type: 'object', properties: each(width, { type: 'integer' }) }),
    good: full,
    bad: (width, i) => ({ ...full(width), [`p${i}`]: 'text' }),
  },
  required: {
    schema: (width) => ({ type: 'object', required: names(width) }),
    good: full,
    bad: without,
  },
  enum: {
    schema: (width) => ({ enum: names(width) }),
    good: (_, i) => `p${i}`,
    bad: (width) => `p${width}`,
  },
  anyOf: {
    schema: (width) => ({ anyOf: names(width).map((name) => ({ const: name })) }),
    good: (_, i) => `p${i}`,
    bad: (width) => `p${width}`,
  },
  oneOf: {
    schema: (width) => ({ oneOf: names(width).map((name) => ({ const: name })) }),
    good: (_, i) => `p${i}`,
    bad: (width) => `p${width}`,
  },
  allOf: {
    schema: (width) => ({ allOf: names(width).map((name) => ({ not: { const: name } })) }),
    good: (width) => `p${width}`,
    bad: (_, i) => `p${i}`,
  },
  prefixItems: {
    schema: (width) => ({ type: 'array', prefixItems: names(width).map(() => ({ type: 'integer' })) }),
    good: (width) => names(width).map(() => 1),
    bad: (width, i) => names(width).map((_, k) => (k === i ? 'text' : 1)),
  },
  patternProperties: {
    schema: (width) => ({
      type: 'object',
      patternProperties: Object.fromEntries(names(width).map((name) => [`^${name}$`, { type: 'integer' }])),
    }),
    // Each property meets each pattern: a payload with as many of both is refused for its cost.
    good: (_, i) => ({ [`p${i}`]: 1 }),
    bad: (_, i) => ({ [`p${i}`]: 'text' }),
  },
  dependentRequired: {
    schema: (width) => ({ type: 'object', dependentRequired: each(width, ['p0']) }),
    good: full,
    bad: (_, i) => ({ [`p${i + 1}`]: 1 }),
  },
};

describe('a schema is as wide as its manifest allows', () => {
  for (const [keyword, { schema, good, bad }] of Object.entries(WIDE))
    it(keyword, () => {
      // Each pattern is a program that is made first.
      const widest = keyword === 'patternProperties' ? 2_500 : 10_000;
      fc.assert(
        fc.property(
          fc
            .integer({ min: 2, max: widest })
            .chain((width) => fc.tuple(fc.constant(width), fc.nat(width - 2))),
          ([width, i]) => {
            const check = compile(schema(width), 'PAYLOAD_INVALID', 'payload');
            assert.ok(isRight(check(good(width, i))), 'the value fits');
            assert.ok(!isRight(check(bad(width, i))), 'the value does not fit');
          },
        ),
        { numRuns: 4, examples: [[[widest, widest - 2]]] },
      );
    });
});
