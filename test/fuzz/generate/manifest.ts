import type { Seeded } from '../../support/seeded.js';
import { letters, oddText, PROTOTYPE_NAMES, utf8 } from './odd-text.js';

const EVIL_PATTERNS = [
  '^(a+)+$',
  '^([a-z]|[a-z0-9])*$',
  '(x+x+)+y',
  '^(a|aa)+$',
  '(.*a){20}',
  '(?=(a+))a*b\\1',
  '^((((a{1,9}){1,9}){1,9}){1,9})$',
  '[',
  '(?<name>',
  '\\',
  '^\\p{L}+$',
  'a{99999}',
] as const;

/** As text: deeper than what `JSON.stringify` can write. */
const nested = (random: Seeded): string => {
  const depth = random.int(2, random.next() < 0.8 ? 70 : 3_000);
  const [open, close] = random.pick([
    ['{"type":"array","items":', '}'],
    ['{"anyOf":[', ']}'],
    ['{"properties":{"a":', '}}'],
    ['{"not":', '}'],
  ] as const);
  return `${open.repeat(depth)}true${close.repeat(depth)}`;
};

/** The text of a JSON Schema, or of what is none. */
const schema = (random: Seeded): string => {
  const text = (value: unknown): string => JSON.stringify(value);
  switch (random.int(0, 9)) {
    case 0:
      return 'true';
    case 1:
      return text({ type: 'string', pattern: random.pick(EVIL_PATTERNS) });
    case 2:
      return nested(random);
    case 3:
      return text({ type: random.pick(['object', 'strin', 7, null, ['object', 'null'], []]) });
    case 4:
      return `{"type":"object","properties":{"${random.pick(PROTOTYPE_NAMES)}":{"type":"integer"}}}`;
    case 5:
      return text({
        $ref: random.pick([
          '#',
          '#/properties/a',
          'http://127.0.0.1:1/x',
          'file:///etc/passwd',
          oddText(random),
        ]),
      });
    case 6:
      return text({ enum: Array.from({ length: random.int(0, 3_000) }, (_, i) => i) });
    case 7:
      return text({
        [random.pick(['minimum', 'required', 'pattern', 'format', 'items', '$id'])]: oddText(random),
      });
    case 8:
      return text({ type: 'object', patternProperties: { [random.pick(EVIL_PATTERNS)]: true } });
    default:
      return text({ type: 'object', additionalProperties: false });
  }
};

const name = (random: Seeded): string =>
  random.next() < 0.85
    ? `fuzzed-${random.int(1, 4)}`
    : random.pick(['accounts', 'gateway', 'guest', '_x', utf8('é'), ...PROTOTYPE_NAMES, letters(random, 65)]);

/** JSON of a manifest that can be used, nearly can, or is nothing like one. */
export const manifestJson = (random: Seeded, command: readonly string[]): string => {
  const action = (): string =>
    `{"input":${random.next() < 0.6 ? 'true' : schema(random)},"output":${random.next() < 0.8 ? 'true' : schema(random)}}`;
  const event = (): string => `{"data":${random.next() < 0.7 ? 'true' : schema(random)}}`;
  const named = (most: number, each: () => string): string =>
    `{${Array.from({ length: random.int(1, most) }, (_, i) => {
      const key = random.next() < 0.9 ? `a${i}` : random.pick(PROTOTYPE_NAMES);
      return `${JSON.stringify(key)}:${each()}`;
    }).join(',')}}`;
  const many = random.next() < 0.02;
  const fields: Record<string, string> = {
    name: JSON.stringify(name(random)),
    version: JSON.stringify(random.next() < 0.95 ? '1.0.0' : oddText(random)),
    description: JSON.stringify(random.next() < 0.97 ? 'Made up.' : 'x'.repeat(random.int(1, 3_000_000))),
    actions: named(many ? 3_000 : 3, action),
    events: named(2, event),
    start: JSON.stringify({ command }),
  };
  if (random.next() < 0.2) {
    fields.limits = JSON.stringify({
      startMs: 500,
      crashes: random.pick([1, 1, 1001, '1']),
      hangMs: random.pick([500, -1]),
    });
  }
  if (random.next() < 0.2) {
    fields.dependencies = JSON.stringify({
      [random.pick(['accounts', 'nobody', 'fuzzed-1'])]: [random.pick(['balance', 'x y', oddText(random)])],
    });
  }
  if (random.next() < 0.3) {
    const key = random.pick([...Object.keys(fields), ...PROTOTYPE_NAMES]);
    fields[key] = random.pick(['null', '[]', '{}', '0', '"x"', '{"__proto__":{"a":1}}', '[[[[]]]]']);
  }
  const text = `{${Object.entries(fields)
    .map(([key, value]) => `${JSON.stringify(key)}:${value}`)
    .join(',')}}`;
  const chance = random.next();
  if (chance < 0.9) return text;
  if (chance < 0.95) return text.slice(0, random.int(0, text.length));
  const depth = random.int(1, 20_000);
  return random.pick([
    '',
    '[]',
    'null',
    `${'['.repeat(depth)}${']'.repeat(depth)}`,
    `${' '.repeat(2_000_000)}{}`,
    '\0',
  ]);
};
