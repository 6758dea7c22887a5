import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nextCron, parseCron } from '../../schemas/cron.js';
import { success } from '../support/either.js';

const ZONES = Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC');
const AFTER = Date.parse('2026-11-29T10:00:00Z');

/** How many years of zones are read while something runs. Each needs a formatter, and some 400 readings of a clock. */
const yearsRead = (run: () => void): number => {
  const { DateTimeFormat } = Intl;
  let made = 0;
  Intl.DateTimeFormat = new Proxy(DateTimeFormat, {
    construct: (target, args) => {
      made += 1;
      return new target(...(args as ConstructorParameters<typeof DateTimeFormat>));
    },
  });
  try {
    run();
  } finally {
    Intl.DateTimeFormat = DateTimeFormat;
  }
  return made;
};

const next = (expression: string, zone: string): number | undefined =>
  nextCron(success(parseCron(expression)), AFTER, zone);

const someField = (min: number, max: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constant('*'),
    fc
      .uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 5 })
      .map((values) => values.join(',')),
  );

/** Expressions that never come: days that their months do not have. */
const never = (): fc.Arbitrary<string> =>
  fc
    .tuple(
      someField(0, 59),
      someField(0, 23),
      fc.constantFrom('30 2 *', '31 2,4,6 *', '30,31 2 ?', '31 9,11 *'),
    )
    .map((parts) => parts.join(' '));

/** A year ahead at most, or with 29 February two. */
const rare = (): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.integer({ min: 0, max: 59 }),
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: 1, max: 28 }),
      fc.integer({ min: 1, max: 12 }),
    )
    .chain((fields) => fc.constantFrom(`${fields.join(' ')} *`, `${fields.slice(0, 2).join(' ')} 29 2 *`));

/** The same zone, written otherwise. */
const written = (zone: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: zone.length, maxLength: zone.length })
    .map((upper) => [...zone].map((c, i) => (upper[i] ? c.toUpperCase() : c.toLowerCase())).join(''));

describe('what a time zone costs that a sender names', () => {
  it('is nothing for what never comes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), never(), (zone, expression) => {
        const years = yearsRead(() => assert.equal(next(expression, zone), undefined));
        assert.equal(years, 0);
      }),
      { numRuns: 30 },
    );
  });

  it('is the years around the firing, not those on the way', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), rare(), (zone, expression) => {
        const years = yearsRead(() => assert.ok(next(expression, zone) !== undefined));
        assert.ok(years <= 2, `${years} years were read`);
      }),
      { numRuns: 100 },
    );
  });

  it('is paid once, however the name is written', () => {
    const sample = fc.constantFrom(...ZONES).chain((zone) => fc.tuple(fc.constant(zone), written(zone)));
    fc.assert(
      fc.property(sample, rare(), ([zone, other], expression) => {
        const at = next(expression, zone);
        const years = yearsRead(() => assert.equal(next(expression, other), at));
        assert.equal(years, 0);
      }),
      { numRuns: 50 },
    );
  });
});
