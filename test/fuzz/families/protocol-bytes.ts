import type { Seeded } from '../../support/seeded.js';
import { target, token } from '../generate/address.js';
import { headerBlock, noHeaderBlock } from '../generate/header-block.js';
import { bytes, letters, oddText } from '../generate/odd-text.js';
import { payload } from '../generate/payload.js';
import type { Family, Known } from '../input.js';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

const PREFACES: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'POST / HTTP/1.1\r\nContent-Length: 40\r\n\r\nPUB cmd.accounts.deposit.eve 12\r\n{"amount":1}\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  '\x16\x03\x03\xff\xff\x01\x00\xff\xfb',
  'SSH-2.0-OpenSSH_9.6\r\n',
  'GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n',
  '*1\r\n$4\r\nPING\r\n',
  '\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00',
];

const VERBS = [
  'PUB',
  'HPUB',
  'SUB',
  'UNSUB',
  'PING',
  'PONG',
  'INFO',
  '+OK',
  '-ERR',
  'MSG',
  'HMSG',
  'RMSG',
  'LMSG',
  'A+',
  'A-',
  'pub',
  'Sub',
  'CONNECT',
] as const;

const CONNECT = (random: Seeded): string => {
  const fields: Record<string, unknown> = {
    verbose: random.next() < 0.3,
    pedantic: random.next() < 0.3,
    headers: random.next() < 0.8,
    no_responders: random.next() < 0.8,
    lang: oddText(random),
    name: oddText(random),
    protocol: random.pick([0, 1, 2, -1, 1e9]),
  };
  if (random.next() < 0.3) fields.user = random.pick(['guest', 'operator', 'CORE', 'accounts']);
  if (random.next() < 0.3) fields.pass = random.pick(['guest', '', oddText(random)]);
  if (random.next() < 0.1) fields.nkey = letters(random, 56);
  if (random.next() < 0.1) fields.jwt = letters(random, random.int(1, 3_000));
  if (random.next() < 0.1) fields.account = 'CORE';
  const text = JSON.stringify(fields);
  return `CONNECT ${random.next() < 0.85 ? text : text.slice(0, random.int(0, text.length))}\r\n`;
};

const subject = (random: Seeded): string =>
  random.next() < 0.7
    ? `${random.pick(['call', 'cmd', 'schedule'])}.${target(random).address}`
    : token(random);

const count = (random: Seeded, right: number): string =>
  random.next() < 0.75
    ? String(right)
    : random.pick([
        '-1',
        '0',
        '',
        'x',
        '99999999999999999999',
        '1048577',
        String(right + 1),
        String(right - 1),
        '4294967296',
      ]);

const publish = (random: Seeded): string => {
  const body = payload(random).toString('latin1').slice(0, 2_000);
  const reply = random.next() < 0.5 ? ` _INBOX.${letters(random, 5)}` : '';
  return `PUB ${subject(random)}${reply} ${count(random, body.length)}\r\n${body}\r\n`;
};

const publishWithHeaders = (random: Seeded, known: Known): string => {
  const block =
    (random.next() < 0.5 ? headerBlock(random, known) : undefined) ?? noHeaderBlock(random, known);
  const head = block.toString('latin1');
  const body = payload(random).toString('latin1').slice(0, 2_000);
  const reply = random.next() < 0.5 ? ` _INBOX.${letters(random, 5)}` : '';
  const sizes = `${count(random, head.length)} ${count(random, head.length + body.length)}`;
  return `HPUB ${subject(random)}${reply} ${sizes}\r\n${head}${body}\r\n`;
};

const line = (random: Seeded, known: Known): string => {
  switch (random.int(0, 9)) {
    case 0:
    case 1:
      return publish(random);
    case 2:
    case 3:
      return publishWithHeaders(random, known);
    case 4:
      return `SUB ${random.pick(['live.>', '_INBOX.>', '>', 'call.>', token(random)])} ${count(random, random.int(1, 9))}\r\n`;
    case 5:
      return `UNSUB ${random.int(1, 9)} ${count(random, 1)}\r\n`;
    case 6:
      return random.pick(['PING\r\n', 'PONG\r\n', 'PING', 'PI', '+OK\r\n']);
    case 7:
      return CONNECT(random);
    case 8:
      return bytes(random, random.int(1, 80));
    default:
      return `${random.pick(VERBS)} ${oddText(random)} ${oddText(random)}\r\n`;
  }
};

/** What comes to the server's port that a client would not send: in order or not, cut anywhere, of another protocol. */
export const protocolBytes: Family = (random, known) => {
  if (random.next() < 0.1)
    return { type: 'script', kind: 'preface', writes: [latin1(random.pick(PREFACES))] };
  const first = random.next() < 0.8 ? CONNECT(random) : '';
  const lines = Array.from({ length: random.int(1, 8) }, () => line(random, known)).join('');
  // A control line may have 4 KiB.
  const long = random.next() < 0.02 ? `PUB ${'x'.repeat(random.int(3_000, 70_000))} 1\r\nx\r\n` : '';
  const all = latin1(first + lines + long);
  if (random.next() < 0.5) return { type: 'script', kind: 'protocol', writes: [all] };
  const at = random.int(0, all.length);
  return { type: 'script', kind: 'protocol in pieces', writes: [all.subarray(0, at), all.subarray(at)] };
};
