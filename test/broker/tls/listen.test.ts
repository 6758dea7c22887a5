import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { checkTlsFiles } from '../../../bin/doctor/check-certificate.js';
import { connect, type ConnectOptions } from '../../../modules/client/open-tally.js';
import { accounts } from '../../../modules/package-modules.js';
import { Refused } from '../../../modules/sdk/refused.js';
import { startBroker, type TestBroker, tallystick } from '../../support/broker.js';
import { brokerStatus } from '../../support/broker-status.js';
import { type CertificateFiles, makeAuthority, makeCertificate } from '../../support/certificates.js';
import { natsCli } from '../../support/nats-cli.js';
import type { ProgramResult } from '../../support/run-program.js';
import { startServer } from '../../support/server.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const refusalOf = async (options: ConnectOptions): Promise<string> => {
  try {
    await using _ = await connect(options);
  } catch (thrown) {
    assert.ok(thrown instanceof Refused, String(thrown));
    return thrown.message;
  }
  return 'connected';
};

const listenOf = async ({ dataDir }: TestBroker): Promise<string> =>
  (await brokerStatus(dataDir)).listen ?? '';

/** What a client without TLS hears until the connection ends. */
const plainText = (url: string, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let heard = '';
    const socket = connectSocket(Number(new URL(url).port), '127.0.0.1');
    socket.on('data', (piece) => {
      heard += piece.toString('latin1');
      if (heard.includes('INFO') && text !== '') socket.write(text);
    });
    socket.on('close', () => resolve(heard));
    socket.on('error', reject);
  });

let home: TempDir;
let ca: CertificateFiles;
let other: CertificateFiles;
let served: CertificateFiles;

before(async () => {
  home = tempDir();
  ca = await makeAuthority(home.path, 'authority');
  other = await makeAuthority(home.path, 'other-authority');
  served = await makeCertificate(home.path, 'broker', ca);
});
after(() => home?.[Symbol.asyncDispose]());

const startListening = async (
  name: string,
  more: readonly string[] = [],
): Promise<{ readonly broker: TestBroker; readonly url: string; readonly token: string }> => {
  const broker = await startBroker({
    dataDir: join(home.path, name),
    shipped: ['accounts'],
    args: [
      '--durability',
      'os',
      '--listen',
      '127.0.0.1:0',
      '--tls-cert',
      served.cert,
      '--tls-key',
      served.key,
      ...more,
    ],
  });
  const token = join(home.path, `${name}.token`);
  const made = await tallystick(['token', 'create', 'ci', '--allow', 'call accounts.*', '--out', token], {
    dataDir: broker.dataDir,
  });
  assert.equal(made.code, 0, made.stderr);
  return { broker, url: await listenOf(broker), token };
};

describe('a broker that listens with TLS', () => {
  let broker: TestBroker;
  let url: string;
  let token: string;

  before(async () => {
    ({ broker, url, token } = await startListening('plain'));
  });
  after(() => broker?.[Symbol.asyncDispose]());

  const call = (...more: readonly string[]): Promise<ProgramResult> =>
    tallystick(['call', 'accounts.balance', '--agent', 'alice', '--server', url, '--token', token, ...more], {
      cwd: home.path,
    });

  it('serves the stock command line, the SDK and the command line, each with a token', async () => {
    const stock = await natsCli(
      ['--tlsca', ca.cert, '--nkey', token, 'req', '--raw', 'call.accounts.deposit.alice', '{"amount":5}'],
      { url },
    );
    assert.match(stock.stdout, /"balance":5/, stock.stderr);
    const byName = url.replace('127.0.0.1', 'localhost');
    for (const server of [url, byName]) {
      await using tally = await connect({ server, token, tls: { ca: ca.cert } });
      assert.equal((await tally.agent(accounts, 'alice').balance({})).balance, 5);
    }
    const ours = await call('--tls-ca', ca.cert);
    assert.match(ours.stdout, /"balance": 5/, ours.stderr);
    const byVariable = await tallystick(
      ['call', 'accounts.balance', '--agent', 'alice', '--server', url, '--token', token],
      {
        env: { NATS_CA: ca.cert },
      },
    );
    assert.match(byVariable.stdout, /"balance": 5/, byVariable.stderr);
  });

  it('carries large messages and many calls at once, in both directions', async () => {
    await using tally = await connect({ server: url, token, tls: { ca: ca.cert } });
    const { connection } = tally;
    const before = await connection.request('call.accounts.balance.bob', '{}', { timeout: 30_000 });
    assert.equal(before.json<{ status: string }>().status, 'ok');
    const calls = Array.from({ length: 200 }, () => tally.agent(accounts, 'bob').deposit({ amount: 1 }));
    const balances = (await Promise.all(calls)).map(({ balance }) => balance);
    assert.deepEqual(
      balances,
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
    const large = `{"amount":1,"note":"${'x'.repeat(900_000)}"}`;
    const refused = await connection.request('call.accounts.deposit.bob', large, { timeout: 30_000 });
    assert.match(refused.json<{ error: { code: string } }>().error.code, /^PAYLOAD_/);
  });

  it('refuses plain text, by the words of the server, and stores nothing of it', async () => {
    const heard = await plainText(
      url,
      'CONNECT {"verbose":false}\r\nPUB cmd.accounts.deposit.eve 12\r\n{"amount":5}\r\n',
    );
    assert.match(heard, /^INFO \{.*"tls_required":true.*\}\r\n-ERR 'Secure Connection - TLS Required'\r\n$/);
    const { code } = await tallystick(['agent', 'get', 'accounts', 'eve'], { dataDir: broker.dataDir });
    assert.equal(code, 1);
  });

  it('lets in no client without a token', async () => {
    assert.match(
      await refusalOf({ server: url, tls: { ca: ca.cert } }),
      /SERVER_REFUSED: .*no client without a token/,
    );
    const stock = await natsCli(['--tlsca', ca.cert, 'req', 'call.accounts.balance.alice', '{}'], { url });
    assert.match(stock.stderr, /Authorization Violation/);
  });

  it('an authority that the client does not trust is TLS_FAILED, and the reason is in it', async () => {
    for (const tls of [{ ca: other.cert }, {}]) {
      assert.match(await refusalOf({ server: url, token, tls }), /TLS_FAILED: .*certificate/);
    }
    const ours = await call('--tls-ca', other.cert, '--json');
    assert.equal(ours.code, 3);
    assert.match(ours.stderr, /"TLS_FAILED"/);
    const stock = await natsCli(
      ['--tlsca', other.cert, '--nkey', token, 'req', 'call.accounts.balance.alice', '{}'],
      { url },
    );
    assert.match(stock.stderr, /certificate/);
    assert.match(
      await refusalOf({ server: url, token, tls: { ca: join(home.path, 'none.pem') } }),
      /USAGE: .*none\.pem/,
    );
  });

  it('a client that wants TLS connects to no server without it', async () => {
    const plain = broker.url.replace('nats://', 'tls://');
    assert.match(await refusalOf({ server: plain, token }), /TLS_FAILED: .*tls/);
    assert.match(await refusalOf({ server: broker.url, token, tls: { ca: ca.cert } }), /TLS_FAILED/);
  });

  it('uses a renewed certificate for the next connection, and keeps the old one if the new one cannot be used', async () => {
    const renewed = await makeCertificate(home.path, 'renewed', other);
    copyFileSync(renewed.key, `${served.key}.new`);
    copyFileSync(renewed.cert, `${served.cert}.new`);
    renameSync(`${served.key}.new`, served.key);
    renameSync(`${served.cert}.new`, served.cert);
    await waitFor('the renewed certificate', async () =>
      (await refusalOf({ server: url, token, tls: { ca: other.cert } })) === 'connected' ? true : undefined,
    );
    writeFileSync(served.cert, 'no certificate');
    assert.equal(await refusalOf({ server: url, token, tls: { ca: other.cert } }), 'connected');
    await waitFor('a line about it', () =>
      broker.stderr.find((line) => /TLS_FAILED.*stays in use/.test(line)),
    );
    served = await makeCertificate(home.path, 'broker', ca);
  });

  it('says where it listens in status', async () => {
    const { stdout } = await tallystick(['status'], { dataDir: broker.dataDir });
    assert.match(stdout, /^listen +tls:\/\/127\.0\.0\.1:\d+, for clients with a token$/m);
    assert.match(stdout, /^guest +off: /m);
  });

  it('gives a token the address for other machines, in the file and in what it prints', async () => {
    const out = join(home.path, 'far.token');
    const words = ['token', 'create', 'far', '--allow', 'call accounts.*', '--out', out];
    const made = await tallystick(words, { dataDir: broker.dataDir });
    assert.equal(made.code, 0, made.stderr);
    assert.ok(made.stdout.includes(`--server ${url}`), made.stdout);
    assert.ok(!made.stdout.includes(broker.url), made.stdout);
    assert.match(readFileSync(out, 'utf8'), new RegExp(`^# server ${url.replaceAll('.', '\\.')}$`, 'm'));
  });

  it('doctor tells when the certificate ends, and warns 30 days before', async () => {
    const { stdout } = await tallystick(['doctor', '--json'], { dataDir: broker.dataDir });
    const { checks } = JSON.parse(stdout) as {
      checks: readonly { name: string; state: string; found: string }[];
    };
    const found = checks.find(({ name }) => name === 'certificate');
    assert.equal(found?.state, 'warning');
    assert.match(found?.found ?? '', /^ends at 20\d\d-.*Z, in 1 day$/);
    const long = await makeCertificate(home.path, 'long', ca, { days: 90 });
    const now = Date.now();
    const day = 86_400_000;
    for (const [in_, state] of [
      [0, 'ok'],
      [58 * day, 'ok'],
      [60 * day, 'warning'],
      [91 * day, 'problem'],
    ] as const)
      assert.equal(checkTlsFiles(long.cert, undefined, now + in_).state, state);
    assert.equal(checkTlsFiles(long.cert, long.key).state, 'ok');
    assert.match(checkTlsFiles(long.cert, ca.key).found, /is not the key/);
    assert.equal(checkTlsFiles(join(home.path, 'none.pem'), undefined).state, 'problem');
  });
});

describe('a broker that wants certificates of clients', () => {
  let broker: TestBroker;
  let url: string;
  let token: string;

  before(async () => {
    ({ broker, url, token } = await startListening('strict', ['--tls-ca', ca.cert]));
  });
  after(() => broker?.[Symbol.asyncDispose]());

  const refusalWith = (tls: ConnectOptions['tls']): Promise<string> =>
    refusalOf({ server: url, token, tls: { ca: ca.cert, ...tls } });

  it('takes a token with a certificate of its authority, and refuses every other one with the reason', async () => {
    const mine = await makeCertificate(home.path, 'client', ca);
    assert.equal(await refusalWith(mine), 'connected');
    const stock = await natsCli(
      [
        '--tlsca',
        ca.cert,
        '--tlscert',
        mine.cert,
        '--tlskey',
        mine.key,
        '--nkey',
        token,
        'req',
        '--raw',
        'call.accounts.balance.x',
        '{}',
      ],
      { url },
    );
    assert.match(stock.stdout, /"status":"ok"/, stock.stderr);
    assert.match(await refusalWith({}), /TLS_FAILED: .*Client Certificate Required/i);
    const expired = await makeCertificate(home.path, 'expired', ca, { days: -1 });
    assert.match(await refusalWith(expired), /TLS_FAILED: .*Certificate Refused: .*EXPIRED/i);
    const foreign = await makeCertificate(home.path, 'foreign', other);
    assert.match(await refusalWith(foreign), /TLS_FAILED: .*Certificate Refused/i);
    const bare = await natsCli(
      ['--tlsca', ca.cert, '--nkey', token, 'req', 'call.accounts.balance.x', '{}'],
      { url },
    );
    assert.match(bare.stderr, /certificate required/i);
  });

  it('wants a token too: a certificate says that a machine may connect, not who asks', async () => {
    const mine = await makeCertificate(home.path, 'tokenless', ca);
    const tls = { ca: ca.cert, ...mine };
    assert.match(await refusalOf({ server: url, tls }), /SERVER_REFUSED: .*no client without a token/);
  });
});

it('an expired certificate of a server, and one for another name, are TLS_FAILED', async () => {
  const expired = await makeCertificate(home.path, 'late', ca, { days: -1 });
  const named = await makeCertificate(home.path, 'elsewhere', ca, { names: ['elsewhere.example'] });
  for (const [{ cert, key }, reason] of [
    [expired, /TLS_FAILED: .*expired/],
    [named, /TLS_FAILED: .*(altname|alternative|IP)/i],
  ] as const) {
    await using server = await startServer({
      config: `tls: { cert_file: ${JSON.stringify(cert)}, key_file: ${JSON.stringify(key)} }`,
    });
    assert.match(
      await refusalOf({ server: server.url.replace('nats://', 'tls://'), tls: { ca: ca.cert } }),
      reason,
    );
  }
});

it('a start names what an address beyond loopback lacks, and a file that cannot be used', async () => {
  const mine = await makeCertificate(home.path, 'mine', ca);
  const late = await makeCertificate(home.path, 'too-late', ca, { days: -1 });
  const cases: readonly (readonly [args: readonly string[], code: number, reason: RegExp])[] = [
    [['--listen', '0.0.0.0:0'], 2, /LISTEN_UNSAFE: --listen: .*--tls-cert is missing/],
    [['--listen', '0.0.0.0:0', '--tls-cert', mine.cert], 2, /LISTEN_UNSAFE: .*--tls-key is missing/],
    [
      ['--listen', '[::]:0', '--tls-cert', mine.cert, '--tls-key', mine.key, '--guest', 'read'],
      2,
      /LISTEN_UNSAFE: .*--guest read/,
    ],
    [
      ['--listen', '127.0.0.1:0', '--tls-cert', late.cert, '--tls-key', late.key],
      3,
      /TLS_FAILED: .*too-late\.pem.*expired/,
    ],
    [
      ['--listen', '127.0.0.1:0', '--tls-cert', mine.cert, '--tls-key', late.key],
      3,
      /TLS_FAILED: .*not the key/,
    ],
    [['--tls-cert', mine.cert], 2, /USAGE: --listen/],
  ];
  for (const [args, code, reason] of cases) {
    const started = await tallystick(
      ['start', '--no-shipped', '--nats-port', '0', '--durability', 'os', ...args],
      {
        dataDir: join(home.path, 'refused'),
      },
    );
    assert.match(started.stderr, reason);
    assert.equal(started.code, code);
  }
});
