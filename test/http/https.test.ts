import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { newUserKey } from '../../link/nkey.js';
import { seedIn } from '../../link/token-file.js';
import { startBroker, type TestBroker, tallystick } from '../support/broker.js';
import { brokerStatus } from '../support/broker-status.js';
import { type CertificateFiles, makeAuthority, makeCertificate } from '../support/certificates.js';
import { byForm } from '../support/form.js';
import { processesMentioning } from '../support/processes.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { bearer } from './http-requests.js';
import { type HttpsSaid, httpsAt } from './https-requests.js';

const GARBAGE_RUNS = byForm({ short: 40, deep: 2_000 });
/** Handshakes of one address that the broker takes at a time. */
const MOST_HANDSHAKES = 256;

let home: TempDir;
let ca: CertificateFiles;
let served: CertificateFiles;

before(async () => {
  home = tempDir();
  ca = await makeAuthority(home.path, 'authority');
  served = await makeCertificate(home.path, 'broker', ca);
});
after(() => home?.[Symbol.asyncDispose]());

interface Served {
  readonly broker: TestBroker;
  readonly url: string;
  readonly seed: string;
}

const serveSecurely = async (name: string, more: readonly string[] = []): Promise<Served> => {
  const tls = ['--http-listen', '127.0.0.1:0', '--tls-cert', served.cert, '--tls-key', served.key];
  const broker = await startBroker({
    dataDir: join(home.path, name),
    shipped: ['accounts'],
    http: true,
    args: ['--durability', 'os', ...tls, ...more],
  });
  const token = join(home.path, `${name}.token`);
  const grants = ['--allow', 'call accounts.*', '--allow', 'read accounts'];
  const made = await tallystick(['token', 'create', 'ci', ...grants, '--out', token], {
    dataDir: broker.dataDir,
  });
  assert.equal(made.code, 0, made.stderr);
  const url = (await brokerStatus(broker.dataDir)).httpListen ?? '';
  return { broker, url, seed: seedIn(readFileSync(token, 'utf8')) ?? '' };
};

const isProblem = ({ status, text, headers }: HttpsSaid, code: string, expected: number): void => {
  assert.equal((JSON.parse(text) as { readonly code: string }).code, code, text);
  assert.equal(status, expected);
  assert.equal(headers['content-type'], 'application/problem+json');
};

/** What a client without TLS is told, until the connection ends. */
const plainBytes = (url: string, bytes: Uint8Array): Promise<string> =>
  new Promise((resolve) => {
    let heard = '';
    const socket = connectSocket(Number(new URL(url).port), '127.0.0.1', () => socket.end(bytes));
    socket.on('data', (piece) => {
      heard += piece.toString('latin1');
    });
    // A reset is an answer too.
    socket.on('error', () => resolve(heard));
    socket.on('close', () => resolve(heard));
  });

describe('HTTP with TLS', () => {
  let broker: TestBroker;
  let url: string;
  let seed: string;
  let https: ReturnType<typeof httpsAt>;

  before(async () => {
    ({ broker, url, seed } = await serveSecurely('plain'));
    https = httpsAt(url, { ca: ca.cert });
  });
  after(async () => {
    https?.[Symbol.dispose]();
    await broker?.[Symbol.asyncDispose]();
  });

  const deposit = (headers = bearer(seed)): Promise<HttpsSaid> =>
    https.post('/v1/calls/accounts/deposit/alice', '{"amount":5}', headers);
  const httpProcess = (): number =>
    processesMentioning(broker.url).find(({ command }) => command.includes('http-main.js'))?.pid ?? 0;

  it('serves calls, states, the dashboard and its health, under each name of the certificate', async () => {
    assert.match(url, /^https:\/\/127\.0\.0\.1:\d+$/);
    const called = await deposit();
    assert.equal(called.status, 200, called.text);
    const seq = called.headers['tally-result'];
    for (const path of [`/v1/agents/accounts/alice?atLeast=${seq}`, '/v1/agents/accounts/alice']) {
      const state = await https.get(path, bearer(seed));
      assert.match(state.text, /"balance":5/);
    }
    using byName = httpsAt(url.replace('127.0.0.1', 'localhost'), { ca: ca.cert });
    assert.equal((await byName.get('/healthz')).text, '{"status":"ok"}');
    const page = await byName.get('/');
    assert.equal(page.status, 200);
    assert.match(String(page.headers['content-security-policy']), /default-src 'none'|default-src 'self'/);
  });

  it('lets in nobody without a token, there and on loopback', async () => {
    isProblem(await deposit({}), 'SERVER_REFUSED', 401);
    const plain = await fetch(`${broker.ready.http}/v1/agents/accounts/alice`);
    assert.equal(plain.status, 401);
  });

  it('refuses a page of another site', async () => {
    isProblem(await deposit({ ...bearer(seed), Origin: 'https://elsewhere.example' }), 'HTTP_FORBIDDEN', 403);
    assert.equal((await deposit({ ...bearer(seed), Origin: url })).status, 200);
  });

  it('answers a request without TLS by the reason, and stores nothing of it', async () => {
    const body = '{"amount":1000}';
    const request = [
      'POST /v1/calls/accounts/deposit/eve HTTP/1.1',
      `Host: ${new URL(url).host}`,
      `Authorization: Bearer ${seed}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ];
    const heard = await plainBytes(url, Buffer.from(`${request.join('\r\n')}\r\n\r\n${body}`));
    assert.match(heard, /^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*"code":"HTTP_FORBIDDEN"/);
    assert.match(heard, /begin it with https:\/\//);
    assert.equal((await https.get('/v1/agents/accounts/eve', bearer(seed))).status, 404);
  });

  it('whatever a client sends instead of TLS, or in the place of a handshake, others are served', async () => {
    const start = fc.constantFrom([], [0x16], [0x16, 3, 1], [0x16, 3, 1, 2, 0, 1, 0], [0x15, 3, 3, 0, 2]);
    const bytes = fc
      .tuple(start, fc.uint8Array({ maxLength: 600 }))
      .map(([first, rest]) => Uint8Array.from([...first, ...rest]));
    await fc.assert(
      fc.asyncProperty(bytes, async (sent) => {
        const heard = await plainBytes(url, sent);
        // An alert of TLS, a typed answer, or an end.
        assert.ok(heard === '' || heard.startsWith('\x15') || heard.includes('HTTP_FORBIDDEN'), heard);
      }),
      { numRuns: GARBAGE_RUNS },
    );
    assert.equal((await deposit()).status, 200);
  });

  it('an address has so many handshakes at a time, and its place again when they end', async () => {
    const port = Number(new URL(url).port);
    const begin = (): Promise<Socket> =>
      new Promise((resolve) => {
        const socket = connectSocket(port, '127.0.0.1', () => resolve(socket));
        socket.on('error', () => undefined);
      });
    const begun = await Promise.all(Array.from({ length: MOST_HANDSHAKES }, begin));
    const refused = () =>
      new Promise<boolean>((resolve) => {
        const socket = connectSocket(port, '127.0.0.1');
        socket.on('error', () => undefined);
        // One that is admitted hears nothing, and stays open.
        const open = setTimeout(() => resolve(false) ?? socket.destroy(), 100);
        socket.on('close', () => {
          clearTimeout(open);
          resolve(true);
        });
      });
    await waitFor('a refusal', async () => ((await refused()) ? true : undefined));
    for (const socket of begun) socket.destroy();
    using other = httpsAt(url, { ca: ca.cert });
    await waitFor('a place', () =>
      other.get('/healthz').then(
        () => true,
        () => undefined,
      ),
    );
    // It tells one at once, and of many more the last and their count.
    await waitFor('a line about it', () =>
      broker.stderr.find((line) => /a connection from .* was refused: /.test(line)),
    );
  });

  it('an address that tries tokens is told to wait, and a token in use is served meanwhile', async () => {
    assert.equal((await deposit()).status, 200);
    const tries: HttpsSaid[] = [];
    for (let i = 0; i < 60; i += 1) tries.push(await deposit(bearer(newUserKey().seed)));
    const [first] = tries;
    isProblem(first as HttpsSaid, 'SERVER_REFUSED', 401);
    const waiting = tries.filter(({ status }) => status === 429);
    assert.ok(waiting.length >= 20, `${waiting.length} of ${tries.length}`);
    isProblem(waiting[0] as HttpsSaid, 'OVERLOADED', 429);
    assert.equal(waiting[0]?.headers['retry-after'], '1');
    assert.equal((await deposit()).status, 200);
  });

  it('a killed process is replaced by the next connection, with TLS and without', async () => {
    for (const ask of [() => https.get('/healthz'), () => fetch(`${broker.ready.http}/healthz`)]) {
      const pid = httpProcess();
      process.kill(pid, 'SIGKILL');
      await waitFor('another process', () =>
        ask().then(
          () => (httpProcess() === pid ? undefined : true),
          () => undefined,
        ),
      );
      assert.equal((await https.get('/healthz')).status, 200);
    }
  });

  it('uses a renewed certificate, and keeps it if the next one cannot be used', async () => {
    const other = await makeAuthority(home.path, 'other-authority');
    const renewed = await makeCertificate(home.path, 'renewed', other);
    for (const file of ['cert', 'key'] as const) {
      copyFileSync(renewed[file], `${served[file]}.new`);
      renameSync(`${served[file]}.new`, served[file]);
    }
    const isServed = async (): Promise<boolean> => {
      using fresh = httpsAt(url, { ca: other.cert });
      // The client ends with this block.
      return await fresh.get('/healthz').then(
        ({ status }) => status === 200,
        () => false,
      );
    };
    await waitFor('the renewed certificate', async () => ((await isServed()) ? true : undefined));
    writeFileSync(served.cert, 'no certificate');
    assert.equal(await isServed(), true);
    await waitFor('a line about it', () =>
      broker.stderr.find((line) => /TLS_FAILED.*stays in use/.test(line)),
    );
    served = await makeCertificate(home.path, 'broker', ca);
  });

  it('says where it is served in status, and when the certificate ends', async () => {
    const { stdout } = await tallystick(['status'], { dataDir: broker.dataDir });
    assert.ok(stdout.includes(`https   ${url}, for clients with a token`), stdout);
    const { certificateEnds, guest } = await brokerStatus(broker.dataDir);
    assert.match(String(certificateEnds), /^20\d\d-/);
    assert.equal(guest, 'off');
  });
});

it('a broker that stops answers the requests that it has', async () => {
  const { broker, url, seed } = await serveSecurely('stopping');
  await using _ = broker;
  using https = httpsAt(url, { ca: ca.cert });
  const times = <A>(ask: (i: number) => Promise<A>): readonly Promise<A>[] =>
    Array.from({ length: 100 }, (_, i) => ask(i + 1));
  // The connections are open, so each request is with the broker when it stops.
  await Promise.all(times(() => https.get('/healthz')));
  const calls = times((i) => https.post('/v1/calls/accounts/deposit/bob', `{"amount":${i}}`, bearer(seed)));
  await Promise.race(calls);
  const stopped = broker.stop();
  const statuses = (await Promise.allSettled(calls)).map((said) =>
    said.status === 'fulfilled' ? said.value.status : 0,
  );
  await stopped;
  // What it did not take any more is refused by a status. No request that it took is without an answer.
  assert.ok(
    statuses.every((status) => [200, 503].includes(status)),
    JSON.stringify(statuses),
  );
});

it('with an authority of clients, a request needs a certificate and a token', async () => {
  const { broker, url, seed } = await serveSecurely('strict', ['--tls-ca', ca.cert]);
  await using _ = broker;
  const foreign = await makeCertificate(
    home.path,
    'foreign',
    await makeAuthority(home.path, 'foreign-authority'),
  );
  const mine = await makeCertificate(home.path, 'client', ca);
  for (const [files, reason] of [
    [{}, /Client Certificate Required/],
    [foreign, /Client Certificate Refused/],
  ] as const) {
    using https = httpsAt(url, { ca: ca.cert, ...files });
    const said = await https.get('/v1/agents/accounts/alice', bearer(seed));
    isProblem(said, 'HTTP_FORBIDDEN', 403);
    assert.match(said.text, reason);
  }
  using https = httpsAt(url, { ca: ca.cert, ...mine });
  isProblem(await https.get('/v1/agents/accounts/alice'), 'SERVER_REFUSED', 401);
  const called = await https.post('/v1/calls/accounts/deposit/alice', '{"amount":5}', bearer(seed));
  assert.equal(called.status, 200, called.text);
});

it('a start names what an address of HTTP beyond loopback lacks, and a port that is taken', async () => {
  const late = await makeCertificate(home.path, 'late', ca, { days: -1 });
  const whole = ['--tls-cert', served.cert, '--tls-key', served.key];
  const { broker, url } = await serveSecurely('taken');
  await using _ = broker;
  const cases: readonly (readonly [args: readonly string[], code: number, reason: RegExp])[] = [
    [['--http-listen', '0.0.0.0:0'], 2, /LISTEN_UNSAFE: --http-listen: .*--tls-cert is missing/],
    [['--http-listen', '[::]:0', ...whole, '--guest', 'read'], 2, /LISTEN_UNSAFE: .*--guest read/],
    [['--http-listen', '127.0.0.1:0', ...whole, '--no-http'], 2, /USAGE: --http-listen: .*--no-http/],
    [
      ['--http-listen', '127.0.0.1:0', '--tls-cert', late.cert, '--tls-key', late.key],
      3,
      /TLS_FAILED: .*late\.pem.*expired/,
    ],
    [['--http-listen', new URL(url).host, ...whole], 3, /PORT_IN_USE: .*--http-listen/],
  ];
  for (const [args, code, reason] of cases) {
    const started = await tallystick(
      ['start', '--no-shipped', '--nats-port', '0', '--http-port', '0', '--durability', 'os', ...args],
      { dataDir: join(home.path, 'refused') },
    );
    assert.match(started.stderr, reason);
    assert.equal(started.code, code, started.stderr);
  }
});
