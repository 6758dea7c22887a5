import type { Seeded } from '../../support/seeded.js';
import { bytes, letters, oddText, PROTOTYPE_NAMES } from '../generate/odd-text.js';

/** Kinds of malformed requests over HTTP. */
export const HTTP_KINDS = [
  'bytes',
  'request line',
  'method',
  'headers',
  'many headers',
  'content length',
  'chunks',
  'smuggling',
  'pipeline',
  'utf-8',
  'deep json',
  'numbers',
  'prototype',
  'path',
  'slashes',
  'query',
  'expectation',
] as const;
export type HttpKind = (typeof HTTP_KINDS)[number];

/** What a request may say of its sender: nothing, or a header with a token. */
export type Sender = string;

const METHODS = [
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'HEAD',
  'TRACE',
  'CONNECT',
  'PROPFIND',
  'get',
  'X',
];
const ROUTES = [
  '/v1/calls/accounts/deposit/a',
  '/v1/commands/accounts/deposit/a',
  '/v1/commands/17/cancel',
  '/v1/commands/17/restart',
  '/v1/results/17',
  '/v1/agents/accounts',
  '/v1/agents/accounts/a',
  '/v1/records',
  '/v1/conversations',
  '/v1/conversations/17',
  '/v1/modules',
  '/v1/modules/accounts/reload',
  '/v1/dead',
  '/v1/dead/redrive',
  '/v1/schedules',
  '/v1/waits',
  '/v1/steps/accounts/a',
  '/v1/log/times',
  '/v1/signals/accounts/a/go',
  '/v1/promises/x/resolve',
  '/v1/verifications',
  '/healthz',
  '/readyz',
  '/openapi.json',
  '/asyncapi.json',
  '/docs',
  '/',
];
const SENT_TO = ROUTES.slice(0, 2);

interface Parts {
  readonly method?: string;
  readonly path?: string;
  readonly version?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** A request as it should be, one byte a character, but for the parts that one gives. */
const requestOf = (
  sender: Sender,
  { method = 'GET', path = '/', version = 'HTTP/1.1', headers, body }: Parts,
): string => {
  const all = ['Host: 127.0.0.1', ...(sender === '' ? [] : [`Authorization: ${sender}`]), ...(headers ?? [])];
  if (body !== undefined && headers === undefined)
    all.push('Content-Type: application/json', `Content-Length: ${body.length}`);
  return `${method} ${path} ${version}\r\n${all.map((line) => `${line}\r\n`).join('')}\r\n${body ?? ''}`;
};

const posted = (random: Seeded, sender: Sender, body: string): string =>
  requestOf(sender, { method: 'POST', path: random.pick(SENT_TO), body });

const JSON_TYPE = 'Content-Type: application/json';
/** Any text without an end of a line: it stays in its header. */
const inLine = (text: string): string => text.replace(/[\r\n]/g, '');
const nested = (depth: number, [open, close]: readonly [string, string]): string =>
  open.repeat(depth) + close.repeat(depth);

const WRITERS: Readonly<Record<HttpKind, (random: Seeded, sender: Sender) => string>> = {
  bytes: (random) => bytes(random, random.int(1, 600)),
  'request line': (random, sender) =>
    random.pick([
      `${bytes(random, random.int(1, 40))}\r\n\r\n`,
      `GET\r\nHost: 127.0.0.1\r\n\r\n`,
      `GET  /  HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
      requestOf(sender, {
        version: random.pick(['HTTP/0.9', 'HTTP/2.0', 'HTTP/1.11', 'HTTP', 'HTCPCP/1.0', '']),
      }),
      `GET http://evil.example/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
      `GET /${letters(random, random.int(1, 20_000))} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
      `\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n`,
    ]),
  method: (random, sender) =>
    requestOf(sender, {
      method: random.pick(METHODS),
      path: random.pick(ROUTES),
      headers: [JSON_TYPE, 'Content-Length: 0'],
    }),
  headers: (random, sender) =>
    requestOf(sender, {
      path: random.pick(ROUTES),
      headers: Array.from({ length: random.int(1, 8) }, () =>
        random.pick([
          bytes(random, random.int(0, 60)),
          `${oddText(random)}: ${oddText(random)}`,
          ` folded: ${letters(random, 5)}`,
          `Host: ${inLine(oddText(random))}`,
          `Authorization: Bearer ${inLine(oddText(random))}`,
          `Idempotency-Key: ${inLine(oddText(random))}`,
          `Tally-Deadline: ${inLine(oddText(random))}`,
          `Last-Event-ID: ${inLine(oddText(random))}`,
          `Origin: ${inLine(oddText(random))}`,
          `Content-Type: ${inLine(oddText(random))}`,
          `traceparent: ${inLine(oddText(random))}`,
        ]),
      ),
    }),
  'many headers': (random, sender) =>
    requestOf(sender, {
      path: random.pick(ROUTES),
      headers: Array.from(
        { length: random.next() < 0.9 ? random.int(20, 200) : random.int(200, 3_000) },
        (_, i) => `X-${random.next() < 0.5 ? i : 0}: ${letters(random, random.int(0, 8))}`,
      ),
    }),
  'content length': (random, sender) =>
    requestOf(sender, {
      method: 'POST',
      path: random.pick(SENT_TO),
      headers: [
        JSON_TYPE,
        ...Array.from(
          { length: random.int(1, 2) },
          () =>
            `Content-Length: ${random.pick(['-1', '1e3', '0x10', '10, 10', '99999999999999999999', '+5', ' ', '5', '70000000', letters(random, 3)])}`,
        ),
      ],
      body: letters(random, random.int(0, 40)),
    }),
  chunks: (random, sender) =>
    requestOf(sender, {
      method: 'POST',
      path: random.pick(SENT_TO),
      headers: [
        JSON_TYPE,
        `Transfer-Encoding: ${random.pick(['chunked', 'Chunked', 'gzip, chunked', 'identity'])}`,
      ],
      body: random.pick([
        'zz\r\n{}\r\n0\r\n\r\n',
        '-1\r\n{}\r\n0\r\n\r\n',
        '5\r\n{}\r\n0\r\n\r\n',
        'ffffffffffffffffff\r\n{}\r\n0\r\n\r\n',
        '2;a="\n"\r\n{}\r\n0\r\n\r\n',
        `2;${letters(random, random.int(1, 20_000))}\r\n{}\r\n0\r\n\r\n`,
        `2\r\n{}\r\n0\r\n${letters(random, 5)}: ${letters(random, 5)}\r\n\r\n`,
        '2\r\n{}0\r\n\r\n',
        bytes(random, random.int(0, 100)),
      ]),
    }),
  smuggling: (random, sender) => {
    const hidden = requestOf('', { path: '/v1/status' });
    return requestOf(sender, {
      method: 'POST',
      path: random.pick(ROUTES),
      headers: [
        JSON_TYPE,
        `Content-Length: ${random.pick([0, 4, hidden.length])}`,
        random.pick([
          'Transfer-Encoding: chunked',
          'Transfer-Encoding : chunked',
          'Transfer-Encoding: xchunked',
          'Transfer-Encoding:\tchunked',
          'transfer-encoding: chunked\nX: y',
          `Content-Length: ${hidden.length}`,
        ]),
      ],
      body: `0\r\n\r\n${hidden}`,
    });
  },
  pipeline: (random, sender) =>
    Array.from({ length: random.int(2, 20) }, () =>
      random.next() < 0.9
        ? requestOf(sender, { path: random.pick(ROUTES) })
        : WRITERS[random.pick(['request line', 'path', 'numbers', 'chunks'] as const)](random, sender),
    ).join(''),
  'utf-8': (random, sender) =>
    posted(
      random,
      sender,
      `{"amount":"${random.pick(['\xff', '\xc3\x28', '\xed\xa0\x80', '\xf0\x9f', bytes(random, 8)])}"}`,
    ),
  'deep json': (random, sender) =>
    posted(
      random,
      sender,
      random.pick([
        nested(
          random.int(1, 30_000),
          random.pick([
            ['[', ']'],
            ['{"a":', '}'],
          ] as const),
        ),
        '['.repeat(random.int(1, 100_000)),
        `{"amount":${nested(random.int(1, 2_000), ['[', ']'])}}`,
      ]),
    ),
  numbers: (random, sender) =>
    posted(
      random,
      sender,
      `{"amount":${random.pick(['1e999', '-1e999', '9007199254740993', '0.1e-400', '1'.repeat(random.int(20, 5_000)), '-0', '01', '+1', 'NaN', '.5', '0x1'])}}`,
    ),
  prototype: (random, sender) =>
    posted(
      random,
      sender,
      `{"${random.pick(PROTOTYPE_NAMES)}":${random.pick(['{"amount":1}', 'null', '[]', '{"__proto__":{}}'])},"amount":1}`,
    ),
  path: (random, sender) =>
    requestOf(sender, {
      path: `/${Array.from({ length: random.int(1, 8) }, () =>
        random.pick([
          '..',
          '.',
          '%2e%2e',
          '%00',
          '%ff',
          '%',
          '%zz',
          'v1',
          'agents',
          'accounts',
          'assets',
          '*',
          '>',
          'etc',
          'passwd',
          letters(random, random.int(0, 300)),
          oddText(random).replace(/[\s]/g, ''),
        ]),
      ).join('/')}`,
    }),
  slashes: (random, sender) =>
    requestOf(sender, {
      path: random
        .pick(ROUTES)
        .replaceAll('/', () => random.pick(['/', '/', '//', '%2f', '%2F', '%5c', '\\', '/./', ';/'])),
    }),
  query: (random, sender) =>
    requestOf(sender, {
      path: `${random.pick(ROUTES)}?${Array.from({ length: random.int(1, 6) }, () => {
        const name = random.pick([
          'at',
          'atLeast',
          'from',
          'limit',
          'module',
          'where',
          'wait',
          'after',
          'last',
          ...PROTOTYPE_NAMES,
        ]);
        const value = random.pick([
          '',
          '0',
          '-1',
          '1e9',
          '99999999999999999999',
          '%ff',
          '[]',
          'a=b',
          letters(random, 200),
        ]);
        return `${name}=${value}`;
      }).join(random.pick(['&', '&&', ';']))}`,
    }),
  expectation: (random, sender) =>
    requestOf(sender, {
      method: random.pick(['GET', 'POST']),
      path: random.pick(ROUTES),
      headers: [
        random.pick([
          'Expect: 100-continue',
          'Expect: 200-ok',
          'Upgrade: h2c',
          'Upgrade: websocket',
          'TE: trailers',
          'Connection: close, x',
        ]),
        random.pick([
          'Connection: Upgrade',
          'Connection: keep-alive',
          'HTTP2-Settings: x',
          'Range: bytes=0-9',
        ]),
        JSON_TYPE,
      ],
    }),
};

/** A malformed request, or some, as bytes. */
export const oddHttp = (kind: HttpKind, random: Seeded, sender: Sender): Buffer =>
  Buffer.from(WRITERS[kind](random, sender), 'latin1');
