import fc from 'fast-check';

/** Every name that the grammar allows, the awkward ones of JavaScript among them. */
export const name = (): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 9, arbitrary: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/) },
    { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', '-', '_', '0') },
  );

/** Most of what is no name: empty, too long, or with a character that means something to a subject, path or shell. */
export const noName = (): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom(
      '',
      '.',
      '*',
      '>',
      ' ',
      'a b',
      'a\n',
      '\na',
      'a\u0000',
      'ä',
      'a/b',
      '..',
      '$JS',
      '~',
      'a'.repeat(65),
    ),
    fc.string().filter((text) => !/^[A-Za-z0-9_-]{1,64}$/.test(text)),
  );

export const sequence = (): fc.Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min: 1, max: 1_000_000 }),
    fc.maxSafeInteger().map((n) => Math.max(1, Math.abs(n))),
  );
