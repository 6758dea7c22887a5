import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { linearPattern, patternSize } from '../../schemas/linear-pattern.js';
import { compile } from '../../schemas/validate.js';
import { processorMs } from '../support/processor-time.js';
import { byForm } from '../support/form.js';

const PATTERNS = byForm({ short: 500, deep: 3_000 });

/** Patterns of what JSON Schema has, put together by lot. Small alphabets, so that texts match now and then. */
const atom = fc.constantFrom(
  ...[
    'a',
    'b',
    '1',
    '-',
    '\\-',
    '.',
    '\\d',
    '\\D',
    '\\w',
    '\\W',
    '\\s',
    '\\S',
    '[ab]',
    '[^a]',
    '[\\w-]',
    '[^\\s]',
  ],
  ...[
    '[\\S\\d]',
    '[a-c1]',
    '[[]',
    '[]',
    '[^]',
    '[\\b]',
    '\\b',
    '\\B',
    '^',
    '$',
    '\\.',
    '\\/',
    '/',
    '\\t',
    '\\n',
    '\\0',
  ],
  ...[
    '\\x61',
    '\\u0061',
    '\\u{1F600}',
    '\\uD83D\\uDE00',
    '😀',
    'é',
    '\\cJ',
    '\\p{L}',
    '\\P{L}',
    '\\p{Lu}',
    '(?!)',
  ],
  ...['\\p{Script=Greek}', '[\\p{Nd}x]', '[&&~]', '[^^]', '[-a]', '[a-]'],
);
const quantified = fc.tuple(atom, fc.constantFrom('', '', '*', '+', '?', '{2}', '{0,2}', '{1,}', '*?', '+?'));
const piece = quantified.map(([one, times]) => one + (/^(?:\\b|\\B|\^|\$)$/.test(one) ? '' : times));
const sequence = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(''));
const group = fc
  .tuple(
    fc.array(sequence, { minLength: 1, maxLength: 3 }),
    fc.constantFrom('(', '(?:', '(?<n>'),
    fc.constantFrom('', '*', '+', '{1,3}'),
  )
  .map(([branches, open, times]) => `${open}${branches.join('|')})${times}`);
const pattern = fc
  .tuple(
    fc.option(
      fc.tuple(fc.constantFrom('^(?!', '^(?='), sequence).map(([open, inner]) => `${open}${inner})`),
      { nil: '', freq: 2 },
    ),
    fc.array(fc.oneof(sequence, group), { maxLength: 2 }),
  )
  .map(([look, parts]) => look + parts.join(''));
const text = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      'c',
      '1',
      '-',
      ' ',
      '\n',
      '\r',
      '\t',
      '\v',
      '\u00a0',
      '\ufeff',
      '\u2028',
      'é',
      '😀',
      'α',
      'A',
      '_',
      '/',
      '.',
      '[',
      '\b',
      '\0',
      '^',
      '&',
    ),
    { maxLength: 8 },
  )
  .map((chars) => chars.join(''));

const isPattern = (source: string): boolean => {
  try {
    new RegExp(source, 'u');
    return true;
  } catch {
    return false;
  }
};

/**
 * Whether a pattern of JavaScript matches, place by place, as ECMA-262 says (22.2.7.2): a place between the halves of one
 * character is none. V8 looks there too, and finds a `\\B` in `a😀a`.
 */
const matches = (source: string): ((text: string) => boolean) => {
  const here = new RegExp(source, 'uy');
  return (text) => {
    for (let at = 0; at <= text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) {
      here.lastIndex = at;
      if (here.test(text)) return true;
    }
    return false;
  };
};

/** Bodies of patterns that take a backtracking engine exponential or high polynomial time. */
const evil = fc
  .tuple(
    fc.constantFrom('a', '[a-z]', '\\w', '.', '(a|a)', '(a|aa)', '\\d|\\w', '(?:a|b|ab)'),
    fc.constantFrom('+', '*', '{1,20}', '{0,30}'),
    fc.constantFrom('+', '*', '{2,}', '{1,15}'),
    fc.constantFrom('$', '!$', 'z', '\\b\\d$', '(?:x|y)+$'),
  )
  .map(([inner, first, second, end]) => `^((${inner})${first})${second}${end}`);

/** Of processor time. A pattern that tries all ways through a text would take hours. */
const WITHIN_MS = 5_000;

describe('patterns of schemas', () => {
  it('match what those of JavaScript match', () => {
    let matched = 0;
    fc.assert(
      fc.property(
        pattern.filter(isPattern),
        fc.array(text, { minLength: 6, maxLength: 6 }),
        (source, texts) => {
          const measured = patternSize(source);
          // The only ones that are refused say why.
          if ('problem' in measured) return assert.match(measured.problem, /looks ahead|repeat/);
          const expected = matches(source);
          const found = linearPattern(source);
          for (const one of texts) {
            assert.equal(found.test(one), expected(one), JSON.stringify([source, one]));
            if (expected(one)) matched += 1;
          }
        },
      ),
      { numRuns: PATTERNS, examples: [['(\\B)', ['a😀a', '😀', 'a', '', 'é', '😀😀']]] },
    );
    assert.ok(matched > PATTERNS / 6);
  });

  it('take time that grows with the text alone, whatever the pattern', () => {
    fc.assert(
      fc.property(
        evil,
        fc.constantFrom(40, 30_000, 262_144),
        fc.constantFrom('a', 'ab', 'a1'),
        (source, length, unit) => {
          const check = compile({ type: 'string', pattern: source }, 'PAYLOAD_INVALID', 'payload');
          const begun = processorMs();
          check(`${unit.repeat(length / unit.length)}!!`);
          assert.ok(processorMs() - begun < WITHIN_MS);
        },
      ),
      { numRuns: 60 },
    );
  });

  for (const [place, schema, value] of [
    ['patternProperties', { patternProperties: { '^(a+)+$': false } }, { [`${'a'.repeat(60)}!`]: 1 }],
    ['propertyNames', { propertyNames: { pattern: '^(a+)+$' } }, { [`${'a'.repeat(60)}!`]: 1 }],
    [
      'additionalProperties',
      { patternProperties: { '^(a+)+$': {} }, additionalProperties: false },
      { [`${'a'.repeat(60)}!`]: 1 },
    ],
    ['items', { items: { pattern: '^(a+)+$' } }, [`${'a'.repeat(60)}!`]],
    ['not', { not: { pattern: '^(a+)+$' } }, `${'a'.repeat(60)}!`],
    ['$ref', { $defs: { evil: { pattern: '^(a+)+$' } }, $ref: '#/$defs/evil' }, `${'a'.repeat(60)}!`],
    [
      'a place that is no schema by itself',
      { x: { evil: { pattern: '^(a+)+$' } }, $ref: '#/x/evil' },
      `${'a'.repeat(60)}!`,
    ],
    [
      '$dynamicRef',
      { $defs: { e: { $dynamicAnchor: 'e', pattern: '^(a+)+$' } }, $dynamicRef: '#e' },
      `${'a'.repeat(60)}!`,
    ],
  ] as const) {
    it(`the same holds for patterns in ${place}`, () => {
      const check = compile(schema, 'PAYLOAD_INVALID', 'payload');
      const begun = processorMs();
      check(value);
      assert.ok(processorMs() - begun < WITHIN_MS);
    });
  }

  it('a check that would take too long is PAYLOAD_INVALID, and the next one is not', () => {
    const check = compile(
      { type: 'array', items: { pattern: '^(a|b)*a(a|b){900}$' } },
      'PAYLOAD_INVALID',
      'payload',
    );
    const result = check(Array.from({ length: 200 }, () => 'ba'.repeat(1_000)));
    assert.ok('left' in result);
    assert.match(result.left.message, /takes too long to check: its patterns/);
    assert.ok('right' in check([`a${'b'.repeat(900)}`]));
  });

  it('what cannot be matched in linear time is refused with its place', () => {
    for (const source of [
      '(a)\\1',
      '(?<n>a)\\k<n>',
      'a(?=b)',
      '(?<=a)b',
      '(?<!a)b',
      '^(?!a)b|c',
      'x(?!y)',
      '\\p{Emoji}',
      'a{2000}',
      '\\ud800',
    ]) {
      assert.ok('problem' in patternSize(source), source);
    }
  });

  it('many properties, and long texts for patterns as people write them, are checked', () => {
    const properties = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`property${i}`, { type: 'integer' }]),
    );
    const check = compile(
      { type: 'array', items: { properties, additionalProperties: false } },
      'PAYLOAD_INVALID',
      'payload',
    );
    const value = Array.from({ length: 20 }, () =>
      Object.fromEntries(Object.keys(properties).map((key) => [key, 1])),
    );
    assert.ok('right' in check(value));
    const names = compile({ items: { pattern: '^[A-Za-z0-9_-]{1,64}$' } }, 'PAYLOAD_INVALID', 'payload');
    assert.ok('right' in names(Array.from({ length: 20_000 }, (_, i) => `order-${i}`)));
    const base64 = compile({ pattern: '^[A-Za-z0-9+/]*={0,2}$' }, 'PAYLOAD_INVALID', 'payload');
    assert.ok('right' in base64('A'.repeat(900_000)));
  });
});
