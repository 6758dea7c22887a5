import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startBroker, type TestBroker } from '../support/broker.js';
import { brokerStatus } from '../support/broker-status.js';
import { type CertificateFiles, makeAuthority, makeCertificate } from '../support/certificates.js';
import type { ProgramResult } from '../support/run-program.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { tallystick } from './tallystick.js';

describe('tallystick connect', () => {
  let home: TempDir;
  let broker: TestBroker;
  let ca: CertificateFiles;
  let url: string;

  const run = (args: readonly string[], dir = 'elsewhere'): Promise<ProgramResult> =>
    tallystick(args, { cwd: join(home.path, dir), env: { XDG_CONFIG_HOME: join(home.path, 'config') } });
  const ok = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const file = (): string => join(home.path, 'config', 'tallystick', 'contexts.json');

  before(async () => {
    home = tempDir();
    mkdirSync(join(home.path, 'elsewhere'));
    ca = await makeAuthority(home.path, 'authority');
    const { cert, key } = await makeCertificate(home.path, 'broker', ca);
    broker = await startBroker({
      dataDir: join(home.path, 'here', '.tallystick'),
      shipped: ['accounts'],
      args: ['--durability', 'os', '--listen', '127.0.0.1:0', '--tls-cert', cert, '--tls-key', key],
    });
    url = (await brokerStatus(broker.dataDir)).listen ?? '';
    const allow = ['--allow', 'call accounts.*', '--allow', 'read accounts.*', '--allow', 'operate reader'];
    const made = await run(['token', 'create', 'ann', ...allow, '--data', broker.dataDir]);
    assert.equal(made.code, 0, made.stderr);
  });
  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  it('stores only what works, for its owner alone', async () => {
    const wrong = await run(['connect', 'add', 'prod', '--server', url, '--token', 'ann.token', '--json']);
    assert.equal(wrong.code, 3);
    assert.match(wrong.stderr, /"TLS_FAILED"/);
    assert.ok(!existsSync(file()));
    await ok('connect', 'add', 'prod', '--server', url, '--token', 'ann.token', '--tls-ca', ca.cert);
    assert.equal(statSync(file()).mode & 0o777, 0o600);
    assert.doesNotMatch(readFileSync(file(), 'utf8'), /SU[A-Z2-7]{56}/);
    const twice = await run(['connect', 'add', 'prod', '--server', url, '--no-check']);
    assert.equal(twice.code, 2);
    assert.match(twice.stderr, /USAGE: .*--replace/);
  });

  it('completes the names of contexts', async () => {
    for (const words of [
      ['connect', 'use'],
      ['connect', 'remove'],
      ['status', '--context'],
    ])
      assert.match(await ok('complete', '--', ...words, 'pr'), /^prod\b/m, words.join(' '));
  });

  it('has every command use it, and status says so', async () => {
    const status = await ok('status');
    assert.match(status, new RegExp(`^context prod, ${url}$`, 'm'));
    assert.equal((JSON.parse(await ok('status', '--json')) as { context: string }).context, 'prod');
    await ok('call', 'accounts.deposit', '{"amount":5}', '--agent', 'alice');
    assert.match(await ok('agent', 'get', 'accounts', 'alice', '--at-least', '1'), /"balance": 5/);
    assert.match(await ok('replay', 'history', '--agent', 'alice', '--limit', '1'), /_ann/);
    assert.match(await ok('connect', 'list'), /\* +prod +tls:/);
  });

  it('does not count where a data directory is, unless it is named; both are said', async () => {
    const here = await run(['status'], 'here');
    assert.match(here.stdout, /^context prod is not used: .*--context prod$/m);
    assert.match(here.stdout, /^guest/m);
    const named = await run(['status', '--context', 'prod'], 'here');
    assert.match(named.stdout, new RegExp(`^context prod, ${url}$`, 'm'));
    const both = await run(['status', '--context', 'prod', '--data', broker.dataDir]);
    assert.equal(both.code, 2);
  });

  it('is left, chosen and removed by name', async () => {
    await ok('connect', 'add', 'lab', '--server', 'nats://127.0.0.1:9', '--no-check');
    const lab = await run(['status']);
    assert.equal(lab.code, 3);
    assert.match(lab.stderr, /BROKER_UNREACHABLE: .*context lab/);
    await ok('connect', 'off');
    assert.match((await run(['status'])).stderr, /BROKER_UNREACHABLE: no broker runs in/);
    await ok('connect', 'use', 'prod');
    assert.match(await ok('status'), /^context prod/);
    await ok('connect', 'remove', 'prod');
    const gone = await run(['connect', 'use', 'prod']);
    assert.equal(gone.code, 2);
    assert.match(gone.stderr, /CONTEXT_UNKNOWN: .*there are lab/);
    const { current } = JSON.parse(await ok('connect', 'list', '--json')) as { current: string | null };
    assert.equal(current, null);
  });
});
