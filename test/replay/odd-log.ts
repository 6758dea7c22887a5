import { HEADER } from '../../schemas/headers.js';
import type { RawMessage } from '../support/raw-writer.js';
import { Seeded } from '../support/seeded.js';
import { nested } from '../support/awkward.js';

/** Records as a log can hold them: any bytes that the server stores. */

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

const bytesOf = (random: Seeded, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => random.int(0, 255)));

/** The server stores any byte in a token but these. */
const ENDS = new Set(latin1(' \t\r\n.'));

const ODD_TOKENS = [
  '\x00',
  '\x01',
  '\x0b',
  '\x0c',
  '\x1b[31m',
  '\x7f',
  '\x9b',
  '\xff\xfe',
  '\xc3',
  '\xed\xa0\x80',
  '\xef\xbf\xbd',
  '\xef\xbb\xbf',
  '\xe2\x80\xae',
  '*',
  'a*b',
  '__proto__',
  '=1+2',
  '-',
  '_',
  '"',
  '\\',
  ',',
  "'",
  '$SYS',
  'x'.repeat(300),
] as const;

const token = (random: Seeded, usual: readonly string[]): string => {
  const chance = random.next();
  if (chance < 0.8) return random.pick(usual);
  if (chance < 0.93) return random.pick(ODD_TOKENS);
  const bytes = bytesOf(random, random.int(1, 12)).map((byte) => (ENDS.has(byte) ? 1 : byte));
  const text = Buffer.from(bytes).toString('latin1');
  return text === '>' ? '<' : text;
};

const MODULES = ['accounts', 'orders', 'agents', 'weather'];
const NAMES = ['deposit', 'withdraw', 'deposited', 'placed', 'measured'];
const AGENTS = ['alice', 'bob', 'carol', 'dave'];
const SENDERS = ['guest', 'operator', 'orders', 'accounts'];

const subject = (random: Seeded): Buffer => {
  const kind = random.pick(['cmd', 'cmd', 'res', 'evt', 'evt', 'epoch']);
  if (kind === 'epoch') return latin1(`epoch.${token(random, [...MODULES, 'gateway', 'broker'])}`);
  const tokens = [kind, token(random, MODULES), token(random, NAMES)];
  if (random.next() < 0.8) tokens.push(token(random, AGENTS));
  if (kind === 'cmd') tokens.push(token(random, SENDERS));
  return latin1(tokens.join('.'));
};

const NUMBERS = [
  '0',
  '1',
  '17',
  '999999999',
  '9007199254740993',
  '-1',
  '1e3',
  '0x1',
  '00001',
  '',
  ' ',
  '1/1',
  '2/1',
];

const value = (random: Seeded, seq: number): string => {
  const chance = random.next();
  if (chance < 0.5) return `${random.int(1, Math.max(1, seq))}`;
  if (chance < 0.7) return random.pick(NUMBERS);
  if (chance < 0.8) return `${random.pick(MODULES)}.${random.int(1, 9)}.${random.int(1, 9)}`;
  if (chance < 0.9)
    return random.pick(['1/1', '1/2', 'application/json', 'text/plain', 'urgent', '2030-01-31T12:00:00Z']);
  return bytesOf(random, random.int(0, 20))
    .toString('latin1')
    .replaceAll(/[\r\n]/g, '?');
};

const OURS = Object.values(HEADER).filter((name) => !name.startsWith('Nats-'));

const headerLine = (random: Seeded, seq: number): string => {
  const chance = random.next();
  if (chance < 0.75) return `${random.pick(OURS)}: ${value(random, seq)}`;
  if (chance < 0.9)
    return `${random.pick(['X', '__proto__', '1', 'a b', '\xff', 'é', ':', '\x01'])}:${value(random, seq)}`;
  return random.pick([
    '',
    ':',
    ': x',
    'no colon',
    ' folded',
    'A:',
    '\rX: 1',
    'A: 1\nB: 2',
    '\x00: \x00',
    'tally-cause: 1',
  ]);
};

const ODD_BLOCKS = [
  'xy',
  'NATS/1.0',
  'NATS/1.0\r\n',
  'NATS/1.0\r\n\r\n',
  'NATS/1.0 503 no\r\n\r\n',
  'NATS/1.0 100 Idle Heartbeat\r\n\r\n',
  'NATS/1.0\nA: 1\n\n',
  'nats/2\r\n\r\n',
  '\xff\xfe',
];

const headers = (random: Seeded, seq: number): Buffer | undefined => {
  const chance = random.next();
  if (chance < 0.25) return undefined;
  if (chance < 0.3) return latin1(random.pick(ODD_BLOCKS));
  const count = chance < 0.98 ? random.int(0, 5) : random.int(50, 500);
  const lines = Array.from({ length: count }, () => `${headerLine(random, seq)}\r\n`);
  return latin1(`NATS/1.0\r\n${lines.join('')}\r\n`);
};

const TEXTS = [
  '',
  ' ',
  '{}',
  'null',
  '"a"',
  'hello',
  '{"amount": 5}',
  '{"amount":9007199254740993}',
  '{"amount":1e999,"amount":-0.0}',
  '{"__proto__":{"a":1},"constructor":2}',
  '["\\ud800","\\u0000"]',
  '[1,\n2]\r\n',
  '\ufeff{}',
  'base64:AAAA',
  '=1+2',
  '\u001b[31mred\u001b[0m',
  '{"status":"ok","data":1.0,"out":[{"subject":"evt.accounts.deposited.alice","id":"1/1","data":{"a": 1}}]}',
  '{"status":"failed","error":{"code":"X","message":"\\u001b]0;owned\\u0007","retryable":false}}',
  '{"phase":"open","producer":"accounts","previous":{"epoch":1,"last":3,"holes":[2]}}',
  '{"phase":"open","producer":"accounts","previous":"nothing"}',
  '\u2028\u202e\u0085',
];

const payload = (random: Seeded): Buffer => {
  const chance = random.next();
  if (chance < 0.6) return Buffer.from(random.pick(TEXTS));
  if (chance < 0.8)
    return Buffer.from(`{"amount":${random.int(-9, 1_000)},"note":${JSON.stringify(random.pick(TEXTS))}}`);
  if (chance < 0.95) return bytesOf(random, random.int(0, 60));
  return Buffer.from(nested(random.int(1, 3_000)));
};

const MAX_DATA = 1_000_000;

/** Payloads that are there once in every log: the deepest and the largest. */
const EXTREMES: readonly Buffer[] = [
  Buffer.from(nested(6_000)),
  Buffer.from(nested(100_000)),
  Buffer.from(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
  Buffer.from(`{"status":"ok","data":${nested(100_000)},"out":[]}`),
  Buffer.from(`"${'x'.repeat(MAX_DATA)}"`),
  Buffer.alloc(MAX_DATA, 0xff),
  Buffer.from(`[${'1,'.repeat(MAX_DATA / 2 - 10)}1]`),
  Buffer.from(' '.repeat(MAX_DATA)),
];

/** So many records, the same for the same seed. */
export function* oddRecords(count: number, seed: number): Generator<RawMessage, void, void> {
  const random = new Seeded(seed);
  const every = Math.max(1, Math.floor(count / EXTREMES.length));
  for (let seq = 1; seq <= count; seq++) {
    const extreme = seq % every === 0 ? EXTREMES[(seq / every - 1) % EXTREMES.length] : undefined;
    yield { subject: subject(random), headers: headers(random, seq), data: extreme ?? payload(random) };
  }
}
