import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { nextCron, parseCron } from '../../../schemas/cron.js';
import { success } from '../../support/either.js';
import { IN_FULL, byForm } from '../../support/form.js';
import { Seeded } from '../../support/seeded.js';
import { changingDays, expressionOf, type Fits, firingsByTheClock, type Walk } from './cron-by-the-clock.js';

const SEED = Number(process.env.CRON_SEED ?? Math.floor(Math.random() * 2 ** 32));
const random = new Seeded(SEED);

/** Every zone of the tz database that Intl lists, and some of its other names. */
const ZONES = [
  ...Intl.supportedValuesOf('timeZone'),
  ...['UTC', 'US/Pacific', 'Asia/Calcutta', 'Europe/Kiev', 'EST5EDT', 'Etc/GMT+12', 'Etc/GMT-14', 'GB'],
];

const DAY_MS = 86_400_000;
const TEN_YEARS = [2026, 2036] as const;
/** Zones changed their rules often here: Samoa left out a day, North Korea, Venezuela, Turkey and Egypt moved. */
const PAST = [2005, 2026] as const;

const some = (values: readonly number[], most: number): readonly number[] => {
  const count = random.int(1, most);
  return [...new Set(Array.from({ length: count }, () => random.pick(values)))].sort((a, b) => a - b);
};
const upTo = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
const maybe = (values: readonly number[], most: number): readonly number[] =>
  random.int(0, 2) === 0 ? some(values, most) : [];

/** Hours at which clocks change are likely. */
const HOURS = [...upTo(0, 23), 0, 0, 1, 1, 2, 2, 3, 23];

const fits = (minutes: readonly number[]): Fits => ({
  minutes: some(minutes, 4),
  hours: random.int(0, 3) === 0 ? [] : some(HOURS, 3),
  dates: maybe([...upTo(1, 31), 1, 29, 30, 31], 4),
  months: random.int(0, 4) === 0 ? some(upTo(1, 12), 6) : [],
  weekdays: maybe(upTo(0, 6), 3),
});

/** Those that people use, and that went wrong: midnight, the first and the last day of a month, 29 February. */
const USUAL: readonly Fits[] = [
  { minutes: [0], hours: [0], dates: [], months: [], weekdays: [] },
  { minutes: [0], hours: [0], dates: [1], months: [], weekdays: [] },
  { minutes: [30], hours: [2], dates: [], months: [], weekdays: [] },
  { minutes: [0], hours: [9], dates: [31], months: [], weekdays: [] },
  { minutes: [0], hours: [12], dates: [29], months: [2], weekdays: [] },
  { minutes: [0, 30], hours: [0, 1, 2, 3, 23], dates: [], months: [], weekdays: [1, 2, 3, 4, 5] },
];

/** Each hour, which fires far more often. */
const HOURLY: Fits = { minutes: [0, 15, 45], hours: [], dates: [], months: [], weekdays: [] };

const iso = (ms: number): string => new Date(ms).toISOString();

/** What the product says, one next time after the other. */
const firingsOf = (expression: string, { zone, fromMs, toMs }: Walk): readonly number[] => {
  const cron = success(parseCron(expression));
  const all: number[] = [];
  for (let at = nextCron(cron, fromMs, zone); at !== undefined && at <= toMs; at = nextCron(cron, at, zone))
    all.push(at);
  return all;
};

let compared = 0;

const compare = (walk: Walk, expressions: readonly Fits[]): void => {
  const expected = firingsByTheClock(walk, expressions);
  for (const [i, expression] of expressions.entries()) {
    const text = expressionOf(expression);
    const said = `${text} in ${walk.zone} from ${iso(walk.fromMs)}, CRON_SEED=${SEED}`;
    const right = expected[i] ?? [];
    const found = firingsOf(text, walk);
    const wrong = right.findIndex((at, k) => at !== found[k]);
    // Millions of texts would cost more than all the rest.
    if (wrong >= 0 || found.length !== right.length) {
      const k = wrong < 0 ? right.length : wrong;
      assert.deepEqual(found.slice(k, k + 3).map(iso), right.slice(k, k + 3).map(iso), said);
    }
    compared += right.length;
  }
};

const drawn = (count: number): readonly string[] => Array.from({ length: count }, () => random.pick(ZONES));

describe('cron expressions in time zones', () => {
  const zoneBefore = process.env.TZ;
  after(() => {
    if (zoneBefore === undefined) delete process.env.TZ;
    else process.env.TZ = zoneBefore;
  });

  for (const [from, to, zones] of [
    [...TEN_YEARS, byForm({ short: drawn(120), deep: ZONES })],
    [...PAST, byForm({ short: drawn(30), deep: drawn(200), full: ZONES })],
  ] as const) {
    it(`fire when the clock of the zone shows it, minute by minute on some days of ${from} to ${to}`, (t) => {
      compared = 0;
      for (const zone of zones) {
        for (let i = 0; i < byForm({ short: 1, deep: 3, full: 20 }); i++) {
          const year = random.int(from, to - 1);
          const changes = changingDays(zone, year, year + 1);
          const anyDay = Date.UTC(year) + random.int(0, 365) * DAY_MS;
          const day = changes.length === 0 || random.int(0, 4) === 0 ? anyDay : random.pick(changes);
          const fromMs = day - DAY_MS + random.int(0, 1_439) * 60_000;
          const walk = { zone, fromMs, toMs: fromMs + 2 * DAY_MS, stepMinutes: 1 };
          const minutes = upTo(0, 59);
          compare(walk, [random.pick(USUAL), HOURLY, fits(minutes), fits(minutes), fits(minutes)]);
        }
      }
      t.diagnostic(`${zones.length} zones, ${compared} firings compared; CRON_SEED=${SEED}`);
      assert.ok(compared > 1_000);
    });
  }

  it('fire for ten years as the clock of the zone shows it, in steps of a quarter of an hour', (t) => {
    compared = 0;
    // These change at midnight, by half an hour, by two hours, or around Ramadan.
    const odd = [
      'Africa/Cairo',
      'America/Santiago',
      'Asia/Beirut',
      'Australia/Lord_Howe',
      'Antarctica/Troll',
    ];
    const ramadan = 'Africa/Casablanca';
    const zones = IN_FULL ? ZONES : [random.pick(odd), ramadan, random.pick(ZONES)];
    const quarters = [0, 15, 30, 45];
    for (const zone of zones) {
      const walk = { zone, fromMs: Date.UTC(2026), toMs: Date.UTC(2036), stepMinutes: 15 };
      compare(
        walk,
        [...USUAL, fits(quarters), fits(quarters)].filter(({ hours }) => hours.length > 0),
      );
    }
    t.diagnostic(`${zones.length} zones, ${compared} firings compared; CRON_SEED=${SEED}`);
  });
});
