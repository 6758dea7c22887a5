import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isRight } from 'fp-ts/lib/Either.js';
import { parsePlace } from '../../schemas/log-place.js';
import { firingKey } from '../../schemas/firing.js';
import { deadlineOf } from '../../modules/host/read-command.js';
import { HEADER } from '../../schemas/headers.js';
import { formatInstant, parseInstant } from '../../schemas/instant.js';
import type { StoredMessage } from '../../schemas/record.js';
import { parseTiming } from '../../schemas/schedule.js';
import accounts from '../../modules/accounts/index.js';
import { refusedAlways } from '../../broker/schedules/hopeless.js';
import { encodeJson } from '../../schemas/json.js';
import type { ActionManifest } from '../../schemas/manifest.js';
import { parseStoredTime } from '../../transfer/format/stored-time.js';
import { sourceFiles } from '../architecture/source-files.js';
import { PROJECT_ROOT } from '../support/project-root.js';

const two = (n: number): string => String(n).padStart(2, '0');

interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly fraction: string;
  readonly sign: '+' | '-' | 'Z';
  readonly offset: readonly [number, number];
}

const textOf = ({ year, month, day, hour, minute, second, fraction, sign, offset }: Parts): string => {
  const zone = sign === 'Z' ? 'Z' : `${sign}${two(offset[0])}:${two(offset[1])}`;
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  return `${date}T${two(hour)}:${two(minute)}:${two(second)}${fraction}${zone}`;
};

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const daysOf = (year: number, month: number): number =>
  [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;

const exists = ({ year, month, day, hour, minute, second, sign, offset }: Parts): boolean =>
  day >= 1 &&
  day <= daysOf(year, month) &&
  hour < 24 &&
  minute < 60 &&
  second < 60 &&
  (sign === 'Z' || (offset[0] < 24 && offset[1] < 60));

/** Times as somebody may write them: the ends of months, days and years are likely, and what lies just behind them. */
const parts = (years: { min: number; max: number }): fc.Arbitrary<Parts> =>
  fc.record({
    year: fc.oneof(
      fc.integer(years),
      fc.constantFrom(2000, 2028, 2030, 2100).filter((y) => y >= years.min && y <= years.max),
    ),
    month: fc.integer({ min: 0, max: 13 }),
    day: fc.oneof(fc.integer({ min: 0, max: 32 }), fc.constantFrom(28, 29, 30, 31)),
    hour: fc.integer({ min: 0, max: 25 }),
    minute: fc.integer({ min: 0, max: 61 }),
    second: fc.integer({ min: 0, max: 61 }),
    fraction: fc.constantFrom('', '.5', '.123', '.999999999'),
    sign: fc.constantFrom('+', '-', 'Z'),
    offset: fc.tuple(fc.integer({ min: 0, max: 25 }), fc.integer({ min: 0, max: 61 })),
  });

const withHeaders = (headers: Readonly<Record<string, string>>): StoredMessage =>
  ({ header: (name: string) => headers[name] }) as StoredMessage;

const { manifest } = accounts;
const action = manifest.actions.deposit as ActionManifest;

/** What readers of odd input took for a time once: `Date.parse` gives a number for each. */
const ODD = [
  '1',
  '2030',
  '2030-01',
  '1 2 3',
  'May 2030',
  '2030-01-01',
  '2030-01-01T00:00:00',
  '2030-02-30T00:00:00Z',
];

describe('an instant', () => {
  it('is read where its date and its time exist, and refused where they do not', () => {
    fc.assert(
      fc.property(parts({ min: 1, max: 9_998 }), (given) => {
        const text = textOf(given);
        // V8 agrees about every date that exists.
        assert.equal(parseInstant(text), exists(given) ? Date.parse(text) : undefined, text);
      }),
      { numRuns: 5_000 },
    );
  });

  it('a date that does not exist is refused wherever somebody writes one', () => {
    const now = Date.parse('2029-01-01T00:00:00Z');
    fc.assert(
      fc.property(parts({ min: 2_030, max: 2_100 }), (given) => {
        const text = textOf(given);
        const is = exists(given);
        assert.equal(isRight(parseTiming({ at: text }, now)), is, `--at ${text}`);
        assert.equal(isRight(parsePlace(text)), is, `--from ${text}`);
        assert.equal(
          !Number.isNaN(deadlineOf(withHeaders({ [HEADER.deadline]: text }))),
          is,
          `deadline ${text}`,
        );
        const repeated = {
          headers: { [HEADER.deadline]: text },
          data: encodeJson({ amount: 1 }),
          manifest,
          action,
        };
        assert.equal(
          refusedAlways(repeated)?.code,
          is ? undefined : 'HEADER_INVALID',
          `schedule with deadline ${text}`,
        );
        assert.equal(parseStoredTime(text) !== undefined, is && given.sign === 'Z', `import ${text}`);
        const header = { [HEADER.schedule]: 'a', [HEADER.next]: text } as Record<string, string>;
        assert.equal(firingKey('guest', (name) => header[name]) !== undefined, is, `next ${text}`);
      }),
      { numRuns: 2_000 },
    );
  });

  it('a text that is no RFC 3339 time is refused wherever somebody writes a deadline', () => {
    const texts = fc.oneof(
      fc.constantFrom(...ODD),
      fc.string(),
      fc.date({ noInvalidDate: true }).map(String),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const is = parseInstant(text) !== undefined;
        const data = encodeJson({ amount: 1 });
        const refused = refusedAlways({ headers: { [HEADER.deadline]: text }, data, manifest, action });
        assert.equal(refused === undefined, is, `schedule with deadline ${text}`);
        const deadline = deadlineOf(withHeaders({ [HEADER.deadline]: text }));
        assert.equal(!Number.isNaN(deadline), is, `deadline ${text}`);
      }),
    );
  });

  it('is read in one place: no other file of the product reads a text as a time', () => {
    const readers = sourceFiles(PROJECT_ROOT).filter(
      ({ path, text }) => !path.startsWith('test/') && text.includes('Date.parse('),
    );
    assert.deepEqual(
      readers.map(({ path }) => path).sort(),
      // These read a time that nats-server wrote.
      ['journal/read/records-at.ts', 'schemas/instant.ts'],
    );
  });

  it('has four digits for the year, at its offset and in UTC', () => {
    for (const text of ['0000-01-01T00:30:00+01:00', '9999-12-31T23:30:00-01:00', '+012030-01-01T00:00:00Z'])
      assert.equal(parseInstant(text), undefined, text);
    assert.equal(parseInstant('0001-01-01T00:00:00Z'), Date.parse('0001-01-01T00:00:00Z'));
    assert.equal(parseInstant('2030-01-01t00:00:00.1239z'), Date.parse('2030-01-01T00:00:00.123Z'));
  });

  it('is nothing else', () => {
    for (const text of ['', '1', 'tomorrow', '2030-01-01', '2030-01-01T00:00:00', ' 2030-01-01T00:00:00Z'])
      assert.equal(parseInstant(text), undefined, text);
    fc.assert(fc.property(fc.string(), (text) => parseInstant(text) === undefined));
  });
});

it('times of records are written as the language writes them, whatever was written before', () => {
  const second = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 });
  const some = fc.array(fc.tuple(second, fc.array(fc.integer({ min: 0, max: 999 }), { maxLength: 3 })));
  fc.assert(
    fc.property(some, (seconds) => {
      for (const [at, millis] of seconds)
        for (const more of millis) {
          const ms = at * 1_000 + more;
          assert.equal(formatInstant(ms), new Date(ms).toISOString());
        }
    }),
  );
});
