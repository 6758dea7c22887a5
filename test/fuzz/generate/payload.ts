import type { JsonSchema } from '../../../schemas/validate.js';
import type { Seeded } from '../../support/seeded.js';
import { fittingValue } from './fitting-value.js';
import { bytes, letters, oddText, PROTOTYPE_NAMES, size, utf8 } from './odd-text.js';

/** The server takes no more in one message, headers included. */
export const MAX_BYTES = 1_048_576;
const MAX_DEPTH = 20_000;

const SCALARS = [
  'null',
  'true',
  '0',
  '-0',
  '1e999',
  '-1e-999',
  '9007199254740993',
  '123456789012345678901234567890',
  '1.0',
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '{}',
  '[]',
] as const;

const deep = (random: Seeded): string => {
  const depth = random.int(1, random.next() < 0.5 ? 200 : MAX_DEPTH);
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"__proto__":', '}]'],
    ['{"amount":[', ']}'],
  ] as const);
  return `${open.repeat(depth)}${random.pick(SCALARS)}${close.repeat(depth)}`;
};

const large = (random: Seeded): string => {
  const length = size(random, MAX_BYTES - 70_000);
  switch (random.int(0, 3)) {
    case 0:
      return `"${'x'.repeat(length)}"`;
    case 1:
      return `[${'1,'.repeat(length / 2)}1]`;
    case 2:
      return `{${Array.from({ length: Math.min(20_000, length / 12) }, (_, i) => `"k${i}":${i}`).join(',')}}`;
    default:
      return ' '.repeat(length);
  }
};

/** A value of any kind as JSON text, a few levels deep. */
const anything = (random: Seeded, depth = 0): string => {
  const kind = depth > 3 ? random.int(0, 2) : random.int(0, 4);
  if (kind === 0) return random.pick(SCALARS);
  if (kind === 1) return String(random.int(-1_000, 1_000_000));
  if (kind === 2) return JSON.stringify(oddText(random));
  const parts = Array.from({ length: random.int(0, 4) }, () => anything(random, depth + 1));
  if (kind === 3) return `[${parts.join(',')}]`;
  const key = (): string =>
    random.next() < 0.4 ? random.pick(PROTOTYPE_NAMES) : random.pick(['amount', 'to', 'status', 'out', 'a']);
  return `{${parts.map((part) => `${JSON.stringify(key())}:${part}`).join(',')}}`;
};

/** A fitting object with something wrong in it: a type, a key more, a key twice, a key less. */
const nearlyFitting = (random: Seeded, schema: JsonSchema): string => {
  const value = fittingValue(random, schema);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return anything(random);
  const fields = Object.entries(value).map(([key, each]): [string, string] => [key, JSON.stringify(each)]);
  const at = random.int(0, Math.max(0, fields.length - 1));
  switch (random.int(0, 3)) {
    case 0:
      if (fields[at] !== undefined) fields[at] = [fields[at][0], anything(random)];
      break;
    case 1:
      fields.push([random.pick(PROTOTYPE_NAMES), anything(random)]);
      break;
    case 2:
      if (fields[at] !== undefined) fields.push([fields[at][0], anything(random)]);
      break;
    default:
      fields.splice(at, 1);
  }
  return `{${fields.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`;
};

const broken = (random: Seeded, text: string): string => {
  const at = random.int(0, text.length);
  switch (random.int(0, 4)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return `${text.slice(0, at)}${bytes(random, random.int(1, 4))}${text.slice(at)}`;
    case 2:
      return `${utf8('\ufeff')}${text}`;
    case 3:
      return text.replaceAll('"', "'");
    default:
      return `${text}${random.pick([',', '}', '\0', ' {}', '//'])}`;
  }
};

/** A payload: half of them what the schema takes, so that the others meet a module that works. */
export const payload = (random: Seeded, schema: JsonSchema = {}): Buffer => {
  const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
  const chance = random.next();
  if (chance < 0.35) return Buffer.from(JSON.stringify(fittingValue(random, schema)));
  if (chance < 0.6) return Buffer.from(nearlyFitting(random, schema));
  if (chance < 0.75) return Buffer.from(anything(random));
  if (chance < 0.85) return latin1(broken(random, nearlyFitting(random, schema)));
  if (chance < 0.88) return latin1(deep(random));
  if (chance < 0.9) return latin1(large(random));
  if (chance < 0.95) return latin1(bytes(random, size(random, 2_000)));
  return chance < 0.97 ? Buffer.alloc(0) : latin1(letters(random, size(random, 500)));
};

/** A body for a request that takes an object with such fields. */
export const bodyOf = (random: Seeded, fields: Readonly<Record<string, () => unknown>>): Buffer => {
  if (random.next() < 0.15) return payload(random);
  const chosen = Object.entries(fields).filter(() => random.next() < 0.85);
  const parts = chosen.map(([key, value]) => {
    const text = random.next() < 0.75 ? JSON.stringify(value()) : anything(random);
    return `${JSON.stringify(key)}:${text}`;
  });
  if (random.next() < 0.1) parts.push(`${JSON.stringify(random.pick(PROTOTYPE_NAMES))}:${anything(random)}`);
  return Buffer.from(`{${parts.join(',')}}`, random.next() < 0.95 ? 'utf8' : 'latin1');
};
