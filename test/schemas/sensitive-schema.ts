import fc from 'fast-check';

/** A schema, a value that fits it, and the definitions that the schema refers to. */
export interface MarkedSample {
  readonly schema: Readonly<Record<string, unknown>>;
  readonly value: unknown;
  readonly defs: Readonly<Record<string, unknown>>;
  /** Of a union, the other alternatives may hide more. */
  readonly isExact: boolean;
}

/** In every sensitive value, and nowhere else. */
export const SECRET = 'xSECRETx';
/** In every other text. */
export const SHOWN = 'xSHOWNx';

const name = fc.constantFrom(
  'a',
  'b',
  'card',
  'data',
  'out',
  'sensitive',
  '$ref',
  'é',
  'x"y',
  '0',
  '__proto__',
);

const hash = (text: string): string => {
  let sum = 7;
  for (const char of text) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 1_000_000_007;
  return `d${sum}`;
};

const shown: fc.Arbitrary<MarkedSample> = fc
  .constantFrom<readonly [object, unknown]>(
    [{ type: 'string' }, `${SHOWN} "quoted" \\ é`],
    [{ type: 'number' }, Number.MAX_SAFE_INTEGER],
    [{}, null],
    [{ sensitive: false }, [SHOWN, { [SHOWN]: true }]],
  )
  .map(([schema, value]) => ({ schema: schema as MarkedSample['schema'], value, defs: {}, isExact: true }));

const hidden: fc.Arbitrary<MarkedSample> = fc
  .constantFrom<unknown>(SECRET, `${SECRET}"\\`, { deep: [{ [SECRET]: SECRET }] }, [1, [SECRET]])
  .map((value) => ({ schema: { sensitive: true }, value, defs: {}, isExact: true }));

const all = (samples: readonly MarkedSample[]): Pick<MarkedSample, 'defs' | 'isExact'> => ({
  defs: Object.assign({}, ...samples.map(({ defs }) => defs)) as MarkedSample['defs'],
  isExact: samples.every(({ isExact }) => isExact),
});

const byName = (members: readonly (readonly [string, MarkedSample])[]): MarkedSample => ({
  schema: {
    type: 'object',
    properties: Object.fromEntries(members.map(([key, { schema }]) => [key, schema])),
  },
  value: Object.fromEntries(members.map(([key, { value }]) => [key, value])),
  ...all(members.map(([, sample]) => sample)),
});

const { node } = fc.letrec<{ node: MarkedSample }>((tie) => {
  const inner = tie('node');
  const members = fc.uniqueArray(fc.tuple(name, inner), { maxLength: 4, selector: ([key]) => key });
  return {
    node: fc.oneof(
      { maxDepth: 5, depthSize: 'small' },
      hidden,
      shown,
      members.map(byName),
      fc.tuple(inner, fc.nat({ max: 3 })).map(([sample, count]) => ({
        ...sample,
        schema: { type: 'array', items: sample.schema },
        value: Array.from({ length: count }, () => sample.value),
      })),
      fc.array(inner, { maxLength: 3 }).map((samples) => ({
        schema: { type: 'array', prefixItems: samples.map(({ schema }) => schema) },
        value: samples.map(({ value }) => value),
        ...all(samples),
      })),
      fc.tuple(inner, fc.array(name, { maxLength: 3 })).map(([sample, keys]) => ({
        ...sample,
        schema: { type: 'object', additionalProperties: sample.schema },
        value: Object.fromEntries(keys.map((key) => [`k${key}`, sample.value])),
      })),
      fc.tuple(inner, inner, fc.constantFrom('anyOf', 'oneOf', 'allOf')).map(([sample, other, union]) => ({
        schema: { [union]: [other.schema, sample.schema] },
        value: sample.value,
        defs: { ...other.defs, ...sample.defs },
        isExact: false,
      })),
      inner.map((sample) => {
        const key = hash(JSON.stringify(sample.schema));
        return {
          ...sample,
          schema: { $ref: `#/$defs/${key}` },
          defs: { ...sample.defs, [key]: sample.schema },
        };
      }),
    ),
  };
});

/** A schema with marks anywhere: nested, in lists, unions and references; and a value of it. */
export const markedSample: fc.Arbitrary<MarkedSample> = node.map((sample) => ({
  ...sample,
  schema: { ...sample.schema, $defs: sample.defs },
}));
