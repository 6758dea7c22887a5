import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Either, isLeft, isRight } from 'fp-ts/lib/Either.js';
import { parsePlace } from '../../schemas/log-place.js';
import { configOf } from '../../bin/commands/start-command.js';
import { shellQuote } from '../../bin/text/shell-quote.js';
import { formatTable } from '../../text/table.js';
import { readyText } from '../../bin/text/ready-text.js';
import { findTarget } from '../../link/target.js';
import type { Fault } from '../../schemas/errors.js';
import type { Ready } from '../../schemas/operate.js';
import { runProgram } from '../support/run-program.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { tallystick } from './tallystick.js';

const value = <T>(result: Either<Fault, T>): T => {
  assert.ok(isRight(result), JSON.stringify(result));
  return result.right;
};

let dir: TempDir;
let data: string;
let seed: string;
before(() => {
  dir = tempDir();
  data = join(dir.path, "it's $HOME", '.tallystick');
  seed = join(data, 'keys', 'operator.nk');
  mkdirSync(join(data, 'keys'), { recursive: true });
  writeFileSync(seed, 'SU');
  const address = { pid: 1, nats: 'nats://127.0.0.1:4999', operatorSeed: seed };
  writeFileSync(join(data, 'broker.json'), JSON.stringify(address));
});
after(() => dir[Symbol.asyncDispose]());

describe('which broker is meant', () => {
  test('what was typed beats the environment, and that beats the working directory', () => {
    const env = { NATS_URL: 'nats://env:1', NATS_NKEY: 'env.nk' };
    assert.equal(value(findTarget({ server: 'nats://flag:1' }, env)).url, 'nats://flag:1');
    assert.equal(value(findTarget({ data }, env)).url, 'nats://127.0.0.1:4999');
    assert.equal(value(findTarget({}, env)).url, 'nats://env:1');
  });

  test('a data directory brings the credential of its operator, unless another is typed', () => {
    const env = { NATS_USER: 'u', NATS_PASSWORD: 'p' };
    assert.deepEqual(value(findTarget({ data }, env)).credential, { kind: 'file', path: seed });
    assert.deepEqual(value(findTarget({ data, creds: 'c' }, env)).credential, { kind: 'file', path: 'c' });
  });

  test('a NATS_URL that names the broker of the working directory means its operator', () => {
    const before = process.cwd();
    process.chdir(join(data, '..'));
    try {
      for (const url of [
        'nats://127.0.0.1:4999',
        'localhost:4999',
        '127.0.0.1:4999',
        'nats://localhost:4999/',
      ])
        assert.deepEqual(
          value(findTarget({}, { NATS_URL: url })).credential,
          { kind: 'file', path: seed },
          url,
        );
      for (const url of ['nats://127.0.0.1:4998', 'nats://example.org:4999', 'nats://127.0.0.1', '::'])
        assert.deepEqual(value(findTarget({}, { NATS_URL: url })).credential, { kind: 'guest' }, url);
      const own = { NATS_URL: 'nats://127.0.0.1:4999', NATS_USER: 'u', NATS_PASSWORD: 'p' };
      assert.equal(value(findTarget({}, own)).credential.kind, 'user');
    } finally {
      process.chdir(before);
    }
  });

  test('credentials of the environment are taken in the order of the stock command line', () => {
    const all = { NATS_URL: 'nats://e', NATS_USER: 'u', NATS_PASSWORD: 'p', NATS_CREDS: 'c', NATS_NKEY: 'k' };
    const { NATS_USER, NATS_PASSWORD, ...files } = all;
    const { NATS_CREDS, ...key } = files;
    assert.deepEqual(value(findTarget({}, all)).credential, {
      kind: 'user',
      user: NATS_USER,
      password: NATS_PASSWORD,
    });
    assert.deepEqual(value(findTarget({}, files)).credential, { kind: 'file', path: NATS_CREDS });
    assert.deepEqual(value(findTarget({}, key)).credential, { kind: 'file', path: 'k' });
    assert.deepEqual(value(findTarget({}, { NATS_URL: 'nats://e', NATS_USER: '' })).credential, {
      kind: 'guest',
    });
    assert.deepEqual(value(findTarget({ creds: 'typed' }, all)).credential, { kind: 'file', path: 'typed' });
  });

  test('a broken address file is told apart from none', () => {
    const broken = join(dir.path, 'broken');
    mkdirSync(broken);
    writeFileSync(join(broken, 'broker.json'), '{');
    const result = findTarget({ data: broken }, {});
    assert.ok(isLeft(result) && /cannot be read/.test(result.left.message));
  });
});

describe('env', () => {
  test('a shell that evaluates it has the address and the credential, whatever the path holds', async () => {
    const { code, stdout } = await tallystick(['env', '--data', data]);
    assert.equal(code, 0);
    const script = `NATS_USER=other; export NATS_USER; ${stdout}\nprintf '%s|%s|%s' "$NATS_URL" "$NATS_NKEY" "\${NATS_USER-unset}"`;
    const shell = await runProgram('sh', ['-c', script]);
    assert.equal(shell.stdout, `nats://127.0.0.1:4999|${seed}|unset`);
  });

  test('as JSON it is an object', async () => {
    const { stdout } = await tallystick(['env', '--data', data, '--json'], {
      env: { NATS_URL: 'nats://other:1' },
    });
    assert.deepEqual(JSON.parse(stdout), { NATS_URL: 'nats://127.0.0.1:4999', NATS_NKEY: seed });
  });

  test('quotes survive', () => {
    assert.equal(shellQuote("a'b"), "'a'\\''b'");
  });
});

describe('a start', () => {
  const options = { data: '.tallystick', module: [], shipped: true };

  test('NATS_URL names a server elsewhere, and --nats beats it', () => {
    const env = { NATS_URL: 'nats://env:1' };
    assert.equal(value(configOf(options, env)).natsUrl, 'nats://env:1');
    assert.equal(value(configOf({ ...options, nats: 'nats://flag:1' }, env)).natsUrl, 'nats://flag:1');
    assert.equal(value(configOf({ ...options, natsPort: '0' }, env)).natsUrl, undefined);
  });

  test('after eval "$(tallystick env)" the broker still starts its own server', () => {
    const env = { NATS_URL: 'nats://127.0.0.1:5000', NATS_NKEY: seed };
    assert.equal(value(configOf({ ...options, data }, env)).natsUrl, undefined);
    assert.equal(
      value(configOf({ ...options, data }, { NATS_URL: 'nats://127.0.0.1:4999' })).natsUrl,
      undefined,
    );
    assert.equal(value(configOf(options, env)).natsUrl, 'nats://127.0.0.1:5000');
  });

  test('what it prints names the port and directory only where they are not the usual ones', () => {
    const ready: Ready = {
      ready: true,
      pid: 1,
      nats: 'nats://127.0.0.1:4222',
      dataDir: join(process.cwd(), '.tallystick'),
      durability: 'fsync',
      server: { version: '2.15.1', embedded: true },
      guest: 'call',
      listen: null,
      http: null,
      httpListen: null,
      modules: [{ name: 'accounts', version: '1.0.0', pid: 7 }],
    };
    const typed = () => 'npx tallystick';
    const usual = readyText(ready, typed);
    assert.equal(
      usual.slice(usual.indexOf('Try:')),
      [
        'Try:',
        `  npx tallystick call accounts.deposit '{"amount":5}' --agent alice`,
        '  npx tallystick replay history --last 20',
        '  npx tallystick status',
        'If you have the command line of NATS:',
        `  nats req call.accounts.deposit.alice '{"amount":5}'`,
      ].join('\n'),
    );
    const without = readyText({ ...ready, modules: [] }, typed);
    assert.equal(
      without.slice(without.indexOf('Try:')),
      'Try:\n  npx tallystick replay history --last 20\n  npx tallystick status',
    );
    assert.doesNotMatch(readyText({ ...ready, guest: 'read' }, typed), /nats req/);
    assert.match(usual, /accounts 1\.0\.0 \(pid 7\)/);
    const other = readyText({ ...ready, nats: 'nats://127.0.0.1:5555', dataDir: '/var/x y' });
    assert.match(other, /nats -s nats:\/\/127\.0\.0\.1:5555 req call/);
    assert.match(other, /tallystick status --data '\/var\/x y'/);
  });
});

describe('a place in the log', () => {
  test('is a sequence, a time, or a duration ago', () => {
    assert.equal(value(parsePlace('17')), 17);
    assert.deepEqual(value(parsePlace('2026-01-02T03:04:05Z')), new Date('2026-01-02T03:04:05Z'));
    assert.deepEqual(value(parsePlace('2026-01-02T03:04:05+02:00')), new Date('2026-01-02T01:04:05Z'));
    assert.deepEqual(value(parsePlace('2h', 7_200_001)), new Date(1));
    for (const bad of ['', '0', '-1', '1.5', '2026-01-02', 'now', '2026-02-31T99:00:00Z', '99999999d']) {
      assert.ok(isLeft(parsePlace(bad)), bad);
    }
  });
});

test('a table stands in columns, numbers at the right', () => {
  assert.equal(
    formatTable(
      ['NAME', 'N'],
      [
        ['a', '10'],
        ['long', '9'],
      ],
    ),
    'NAME   N\na     10\nlong   9',
  );
  assert.equal(formatTable(['NAME', 'N'], []), 'NAME  N');
});
