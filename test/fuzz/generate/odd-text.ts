import type { Seeded } from '../../support/seeded.js';

/** Names that every object has, or that change objects. */
export const PROTOTYPE_NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'isPrototypeOf',
  '__defineGetter__',
  '__lookupSetter__',
  'propertyIsEnumerable',
  'toLocaleString',
  'then',
  'toJSON',
  'length',
] as const;

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-';

export const letters = (random: Seeded, length: number): string =>
  Array.from({ length }, () => LETTERS[random.int(0, LETTERS.length - 1)]).join('');

/** Any bytes, one a character. */
export const bytes = (random: Seeded, length: number): string =>
  String.fromCharCode(...Array.from({ length }, () => random.int(0, 255)));

/** The UTF-8 of a text, one byte a character. */
export const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const NUMBERS = [
  '0',
  '-1',
  '1',
  '1e999',
  '9007199254740991',
  '9007199254740993',
  '18446744073709551616',
  '-0',
  '0x10',
  'NaN',
  'Infinity',
  '1.5',
  '00001',
  '٣',
] as const;

const ODD = [
  '',
  ' ',
  '\t',
  '.',
  '..',
  '*',
  '>',
  '$SYS',
  '_',
  '~',
  'a~b',
  "'",
  '"',
  '\\',
  '%s%n',
  '../../etc/passwd',
  '{}',
  '[]',
  'null',
  'true',
  'undefined',
  '2030-01-31T12:00:00Z',
  '@daily',
  '1h',
  'Europe/Berlin',
  '\u0001\u0002',
  '\u007f',
  'ÿþ',
  utf8('é漢字🎲'),
  utf8('\u2028\u202e\ufeff'),
  '\xc3\x28',
  '\xed\xa0\x80',
] as const;

/** Text that programs stumble over; one byte a character, without line breaks. */
export const oddText = (random: Seeded): string => {
  switch (random.int(0, 6)) {
    case 0:
      return random.pick(PROTOTYPE_NAMES);
    case 1:
      return utf8(random.pick(NUMBERS));
    case 2:
      return random.pick(ODD);
    case 3:
      return letters(random, random.int(1, 70));
    case 4:
      return bytes(random, random.int(1, 20)).replaceAll(/[\r\n]/g, '?');
    case 5:
      return random.pick(ODD) + random.pick(PROTOTYPE_NAMES);
    default:
      return String(random.int(-5, 1_000_000));
  }
};

/** A size, mostly small; now and then up to the most. */
export const size = (random: Seeded, most: number): number => {
  const chance = random.next();
  if (chance < 0.9) return random.int(0, Math.min(most, 200));
  if (chance < 0.995) return random.int(0, Math.min(most, 8_000));
  return random.int(0, most);
};
