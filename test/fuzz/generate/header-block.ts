import { HEADER } from '../../../schemas/headers.js';
import { SCHEDULE_HEADER } from '../../../schemas/schedule.js';
import type { Seeded } from '../../support/seeded.js';
import type { Known } from '../input.js';
import { bytes, letters, oddText, PROTOTYPE_NAMES } from './odd-text.js';

/** Headers that the server itself reads or writes. */
const SERVERS = [
  'Nats-Batch-Id',
  'Nats-Batch-Sequence',
  'Nats-Batch-Commit',
  'Nats-Counter-Sources',
  'Nats-Expected-Stream',
  'Nats-Expected-Last-Msg-Id',
  'Nats-Expected-Last-Sequence',
  'Nats-Expected-Last-Subject-Sequence',
  'Nats-Expected-Last-Subject-Sequence-Subject',
  'Nats-Incr',
  'Nats-Last-Consumer',
  'Nats-Last-Sequence',
  'Nats-Marker-Reason',
  'Nats-Msg-Id',
  'Nats-Msg-Size',
  'Nats-Pin-Id',
  'Nats-Request-Info',
  'Nats-Required-Api-Level',
  'Nats-Response-Type',
  'Nats-Rollup',
  'Nats-Schedule',
  'Nats-Schedule-Next',
  'Nats-Schedule-Target',
  'Nats-Schedule-TTL',
  'Nats-Schedule-Source',
  'Nats-Schedule-Time-Zone',
  'Nats-Scheduler',
  'Nats-Sequence',
  'Nats-Stream',
  'Nats-Stream-Source',
  'Nats-Subject',
  'Nats-TTL',
  'Nats-Trace-Dest',
  'Nats-Trace-Only',
  'Nats-Time-Stamp',
  'Nats-Server-Xkey',
  'Nats-Service-Error',
  'Status',
  'Description',
  'X-B3-TraceId',
  'Accept-Encoding',
] as const;

const OURS = [...new Set<string>([...Object.values(HEADER), ...Object.values(SCHEDULE_HEADER)])];

const MAX_HEADER_BYTES = 66_000;

const longText = (random: Seeded): string =>
  random
    .pick(['x', '*,', '1,', '[', ' ', '9', 'a=b;', '\xff'])
    .repeat(random.int(1, random.next() < 0.8 ? 2_000 : MAX_HEADER_BYTES / 2));

/** What people may send; with any other the door refuses a request before its rest is looked at. */
const OF_PEOPLE = [
  HEADER.deadline,
  HEADER.priority,
  HEADER.conversation,
  HEADER.trace,
  HEADER.contentType,
  ...Object.values(SCHEDULE_HEADER),
] as const;

const name = (random: Seeded): string => {
  const chance = random.next();
  if (chance < 0.5) return random.pick(OURS);
  if (chance < 0.75) return random.pick(SERVERS);
  if (chance < 0.85) return random.pick(PROTOTYPE_NAMES);
  const known = random.pick(OURS);
  if (chance < 0.9) return random.pick([known.toLowerCase(), known.toUpperCase()]);
  return letters(random, random.int(1, 30));
};

const value = (random: Seeded, { lastSeq }: Known): string => {
  switch (random.int(0, 9)) {
    case 0:
    case 1:
      return String(random.int(1, Math.max(1, lastSeq)));
    case 2:
      return random.pick(['accounts', 'guest', 'operator', 'gateway', 'broker', 'scheduler', 'mallory']);
    case 3:
      return `${random.pick(['accounts', 'gateway', 'guest~a', 'broker'])}.${random.int(1, 40)}.${random.int(1, 9)}`;
    case 4:
      return random.pick(['urgent', 'normal', '1/1', '2/1', 'sub', 'all', 'LOG', '{"acc":"accounts"}']);
    case 5:
      return random.pick([
        'epoch.accounts',
        'epoch.broker',
        'evt.accounts.deposited.eve',
        'live.res.accounts.deposit.x',
      ]);
    case 6:
      return random.pick([
        '2030-01-31T12:00:00Z',
        '1990-01-01T00:00:00Z',
        '90s',
        '1d',
        '* * * * *',
        '@daily',
        'UTC',
      ]);
    case 7:
      return random.next() < 0.2 ? longText(random) : oddText(random);
    default:
      return oddText(random);
  }
};

const line = (random: Seeded, known: Known, of: (random: Seeded) => string = name): string =>
  `${of(random)}:${random.pick(['', ' ', '  '])}${value(random, known)}`;

const HEAD = 'NATS/1.0';

const block = (lines: readonly string[]): Buffer =>
  Buffer.from(`${HEAD}\r\n${lines.map((each) => `${each}\r\n`).join('')}\r\n`, 'latin1');

/** Headers as they should be, with any names and values; undefined: none. */
export const headerBlock = (random: Seeded, known: Known): Buffer | undefined => {
  const chance = random.next();
  if (chance < 0.5) return undefined;
  if (chance < 0.75) {
    return block([
      line(random, known, () => random.pick(OF_PEOPLE)),
      line(random, known, () => random.pick(OF_PEOPLE)),
    ]);
  }
  if (chance < 0.97) return block(Array.from({ length: random.int(1, 4) }, () => line(random, known)));
  // Many of them, or one that is twice there.
  if (chance < 0.985) return block(Array.from({ length: random.int(100, 1_000) }, (_, i) => `H${i}: ${i}`));
  const twice = line(random, known);
  return block([twice, twice, line(random, known)]);
};

/** A block of these headers and no others. */
export const headersOf = (entries: Readonly<Record<string, string>>): Buffer =>
  block(Object.entries(entries).map(([key, each]) => `${key}: ${each}`));

const badLine = (random: Seeded, known: Known): string => {
  const good = line(random, known);
  switch (random.int(0, 9)) {
    case 0:
      return good.replace(':', '');
    case 1:
      return good.replace(':', ' :');
    case 2:
      return `Bad Key: ${random.int(1, 9)}`;
    case 3:
      return `: ${oddText(random)}`;
    case 4:
      return good.replace('-', '\0');
    case 5:
      return `${good}\r`;
    case 6:
      return `${good}\n${good}`;
    case 7:
      return ` ${good}`;
    case 8:
      return bytes(random, random.int(1, 60));
    default:
      return `${oddText(random)}:${oddText(random)}`;
  }
};

const badHead = (random: Seeded): string =>
  random.pick([
    '',
    'NATS/1.0 503',
    'NATS/1.0 404 No Messages',
    'NATS/1.0 100 Idle Heartbeat',
    'NATS/1.0 408',
    'NATS/1.0 999999999999999999999',
    'NATS/1.0 x',
    'NATS/2.0',
    'NATS/1.',
    'nats/1.0',
    'HTTP/1.1 200 OK',
    '\0',
    ' NATS/1.0',
  ]);

/** Bytes in the place of headers that are none, or nearly some. */
export const noHeaderBlock = (random: Seeded, known: Known): Buffer => {
  const lines = Array.from({ length: random.int(1, 3) }, () =>
    random.next() < 0.6 ? badLine(random, known) : line(random, known),
  );
  const text = (head: string, end = '\r\n', behind = '\r\n'): Buffer =>
    Buffer.from(`${head}${end}${lines.map((each) => `${each}${end}`).join('')}${behind}`, 'latin1');
  switch (random.int(0, 7)) {
    case 0:
      return text(badHead(random));
    case 1:
      return text(HEAD, '\n', '\n');
    case 2:
      return text(HEAD, '\r\n', '');
    case 3:
      return text(HEAD, '\r\n', random.pick(['\r', '\n', '\r\n\r\n', '\0']));
    case 4:
      return Buffer.from(bytes(random, random.int(1, 200)), 'latin1');
    case 5:
      return Buffer.from(
        HEAD.slice(0, random.int(0, 8)) + random.pick(['', '\r\n', '\r', '\r\n\r\n']),
        'latin1',
      );
    default:
      return text(HEAD);
  }
};
