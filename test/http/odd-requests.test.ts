import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { startBroker, type TestBroker } from '../support/broker.js';
import { byForm } from '../support/form.js';
import { httpAt } from './http-requests.js';

const RUNS = byForm({ short: 150, deep: 20_000 });
/** Connections that begin a request and do not end it: each is closed after 10 s. */
const SLOW = byForm<readonly number[]>({ short: [], deep: [200] });

let broker: TestBroker;
let port: number;
let http: ReturnType<typeof httpAt>;

before(async () => {
  broker = await startBroker({ http: true, shipped: ['accounts'], args: ['--durability', 'os'] });
  port = Number(new URL(broker.ready.http ?? '').port);
  http = httpAt(broker.ready.http ?? '');
});
after(async () => broker?.[Symbol.asyncDispose]());

/** All that comes back for bytes, until the other side closes or a whole answer is there. */
const answerTo = (bytes: Uint8Array | string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? resolve(text) : reject(error),
    );
  });

const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'get', 'X');
const part = fc.oneof(
  fc.constantFrom(
    'v1',
    'calls',
    'commands',
    'results',
    'agents',
    'accounts',
    'deposit',
    'records',
    'stream',
    'trace',
    'conversations',
    'modules',
    'reload',
    'dead',
    'redrive',
    'schedules',
    'signals',
    'promises',
    'resolve',
    'verifications',
    'status',
    'docs',
    'assets',
    '17',
    '0',
    '99999999999999999999',
    'records?from=1&last=1',
    'agents?where=a=b&where=c',
    'cancel',
    'restart',
    '..',
    '%00',
    '%2e',
    '%ff',
    '>',
    '*',
  ),
  fc.string({ maxLength: 300 }),
);
const header = fc.oneof(
  fc.constantFrom(
    'Content-Type: application/json',
    'Host: 127.0.0.1',
    'Host: evil.example',
    'Content-Length: 10',
    'Content-Length: -1',
    'Transfer-Encoding: chunked',
    'Authorization: Bearer x',
    'Idempotency-Key: a\tb',
    'Last-Event-ID: -1',
    'Tally-Deadline: 1',
    'Tally-Id: broker.1.1',
    'Nats-Msg-Id: x',
    'Expect: 100-continue',
    'Upgrade: h2c',
  ),
  fc.string({ maxLength: 100 }),
);
const request = fc
  .record({
    method,
    path: fc.array(part, { maxLength: 6 }),
    version: fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/9', ''),
    headers: fc.array(header, { maxLength: 8 }),
    body: fc.string({ maxLength: 200 }),
  })
  .map(
    (drawn) =>
      `${drawn.method} /${drawn.path.join('/')} ${drawn.version}\r\n${drawn.headers.map((line) => `${line}\r\n`).join('')}\r\n${drawn.body}`,
  );
const odd = fc.oneof(
  { weight: 4, arbitrary: request },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  },
);

/** Of each answer with an error: it is a problem with a code. */
const isTyped = (answer: string): boolean => {
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  if (status < 400) return true;
  if (!/^content-type: application\/problem\+json/im.test(head)) return false;
  const body = rest.join('\r\n\r\n');
  // The answer to HEAD has no body.
  return body === '' || /"code":"[A-Z_]+"/.test(body);
};

describe('odd requests over HTTP', () => {
  test('have typed answers or none, and the next request is served', async () => {
    await fc.assert(
      fc.asyncProperty(odd, async (text) => {
        const answer = await answerTo(text);
        assert.ok(answer === '' || isTyped(answer), JSON.stringify(answer.slice(0, 600)));
      }),
      { numRuns: RUNS },
    );
    assert.equal((await http.get('/healthz')).status, 200);
  });

  for (const count of SLOW)
    test('requests that never end are answered with 408, and closed', async () => {
      const begun = Array.from({ length: count }, () => answerOf('GET /healthz HTTP/1.1\r\nHost: 127'));
      const answers = await Promise.all(begun);
      assert.ok(answers.every((answer) => /^HTTP\/1\.1 408 /.test(answer) && isTyped(answer)));
    });
});

/** The same, for a client that leaves the connection open. */
const answerOf = (bytes: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', () => undefined);
  });
