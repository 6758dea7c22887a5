import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import fc from 'fast-check';
import { connect, type NatsConnection } from 'nats';
import type { BrokerStatus } from '../../schemas/operate.js';
import { follow } from '../support/children.js';
import { tallystickPath } from '../support/program-paths.js';
import { runProgram } from '../support/run-program.js';
import { startServer, type TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';
import { CLEAN_ENV, tallystick } from './tallystick.js';

const STATUS: BrokerStatus = {
  server: { version: '2.15.1', embedded: true, url: 'nats://127.0.0.1:4222', pid: 43 },
  durability: 'fsync',
  dataDir: '/data',
  pid: 42,
  log: {
    records: 1_200,
    bytes: 3_145_728,
    maxBytes: 10_737_418_240,
    reserveBytes: 536_870_912,
    refusal: null,
    firstSeq: 1,
    lastSeq: 1_200,
  },
  guest: 'call',
  listen: null,
  requestsWaiting: {},
  modules: [
    {
      name: 'accounts',
      version: '1.0.0',
      state: 'loaded',
      pid: 43,
      restarts: 2,
      lag: 0,
      cpuPercent: 1.25,
      rssBytes: 73_400_320,
      reason: null,
    },
    {
      name: 'orders',
      version: '1.1.0',
      state: 'crashed',
      pid: null,
      restarts: 5,
      lag: 17,
      cpuPercent: null,
      rssBytes: null,
      reason: 'it kept crashing',
    },
  ],
  agents: 12,
  losses: [],
  cage: {
    mode: 'auto',
    layers: [
      { layer: 'files', holds: true, detail: 'a module reads its own files' },
      { layer: 'ports', holds: false, detail: 'Landlock has version 3, and needs 4' },
    ],
  },
  conversationsOpen: 3,
};

let server: TestServer;
let nc: NatsConnection;
/** Answers given by subject; a subject without one stays silent. */
const answers = new Map<string, (body: string) => unknown>();

const run = (args: readonly string[], input?: string | Uint8Array) =>
  tallystick([...args, '--server', server.url], input === undefined ? {} : { input });

before(async () => {
  server = await startServer({ name: 'cli' });
  nc = await connect({ servers: server.url });
  for (const subject of ['ops.>', 'call.accounts.>']) {
    nc.subscribe(subject, {
      callback: (_error, msg) => {
        const answer = answers.get(msg.subject)?.(msg.string());
        if (answer !== undefined) msg.respond(JSON.stringify(answer));
      },
    });
  }
  await nc.flush();
  answers.set('ops.status', () => STATUS);
  answers.set('ops.sensitive', () => ({ marks: {} }));
});
after(async () => {
  await nc?.close();
  await server?.[Symbol.asyncDispose]();
});

describe('status', () => {
  test('as JSON it is exactly what the broker said, on one line', async () => {
    const { code, stdout } = await run(['status', '--json']);
    assert.equal(code, 0);
    assert.equal(stdout, `${JSON.stringify(STATUS)}\n`);
  });

  test('for people it is facts and a table', async () => {
    const { stdout } = await run(['status']);
    assert.match(stdout, /^server +nats-server 2\.15\.1, embedded, nats:\/\/127\.0\.0\.1:4222$/m);
    assert.match(stdout, /^log +1200 records, 3 MiB of 10 GiB \(0\.0 %\), sequences 1 to 1200$/m);
    assert.match(stdout, /^accounts +1\.0\.0 +loaded +43 +2 +0 +1\.3% +70 MiB$/m);
    assert.match(stdout, /^orders +1\.1\.0 +crashed +- +5 +17 +- +-$/m);
    assert.match(stdout, /^orders: it kept crashing$/m);
  });
});

describe('call', () => {
  test('prints the result and passes the payload on as it was written', async () => {
    let sent = '';
    answers.set('call.accounts.deposit.alice', (body) => {
      sent = body;
      return { status: 'ok', data: { balance: 5 } };
    });
    const { code, stdout, stderr } = await run([
      'call',
      'accounts.deposit',
      '{"amount": 9007199254740993}',
      '--agent',
      'alice',
      '--json',
    ]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(stdout, '{"status":"ok","data":{"balance":5}}\n');
    assert.equal(sent, '{"amount": 9007199254740993}');
    await run(['call', 'accounts.deposit.alice', '-'], '{"from":"stdin"}');
    assert.equal(sent, '{"from":"stdin"}');
  });

  test('a refusal is printed whole, told on stderr, and exits 1', async () => {
    const error = { code: 'INSUFFICIENT_FUNDS', message: 'alice has 5', path: '/amount', retryable: false };
    answers.set('call.accounts.withdraw', () => ({ status: 'rejected', error }));
    const plain = await run(['call', 'accounts.withdraw']);
    assert.equal(plain.code, 1);
    assert.deepEqual(JSON.parse(plain.stdout), { status: 'rejected', error });
    assert.equal(plain.stderr, 'tallystick: INSUFFICIENT_FUNDS: alice has 5\n');
    const json = await run(['call', 'accounts.withdraw', '--json']);
    assert.deepEqual(JSON.parse(json.stdout), { status: 'rejected', error });
    assert.equal(json.stderr, '');
  });

  test('bytes that are not UTF-8 are not sent, and neither is what the server does not take', async () => {
    let sent = 0;
    answers.set('call.accounts.deposit.bytes', () => {
      sent += 1;
      return { status: 'ok', data: {} };
    });
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 8 }).filter((some) => !isUtf8(some));
    for (const some of fc.sample(bytes, { numRuns: 6, seed: 16 })) {
      const input = Buffer.concat([Buffer.from('{"note":"'), some, Buffer.from('"}')]);
      const { code, stderr } = await run(['call', 'accounts.deposit.bytes', '-'], input);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /USAGE: the payload is not JSON and was not sent: its bytes are not UTF-8/);
    }
    const typed = ['call', 'accounts.deposit.bytes', '--server', server.url];
    const script = `exec "$0" "$1" "$2" "$3" "$4" "$5" "$(printf '{"note":"\\351"}')"`;
    const asArgument = await runProgram('sh', ['-c', script, process.execPath, tallystickPath(), ...typed], {
      env: CLEAN_ENV,
    });
    assert.equal(asArgument.code, process.platform === 'linux' ? 2 : asArgument.code, asArgument.stderr);
    if (process.platform === 'linux') assert.match(asArgument.stderr, /USAGE: .* not UTF-8/);
    const large = `{"note":"${'x'.repeat(1_100_000)}"}`;
    const refused = await run(['call', 'accounts.deposit.bytes', '-'], large);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /PAYLOAD_TOO_LARGE: .*nothing was sent/);
    assert.equal(sent, 0);
    assert.equal((await run(['call', 'accounts.deposit.bytes', '{"note":"\ufffd"}'])).code, 0);
  });

  test('no answer in time says that the command may be recorded, and where to look', async () => {
    const { code, stdout, stderr } = await run(['call', 'accounts.hang', '{}', '--timeout', '200ms']);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /RESULT_PENDING: .*may be stored.*tallystick replay history --module accounts --from 61s/,
    );
  });

  test('a server without a broker exits 3', async () => {
    const { code, stderr } = await run(['call', 'nobody.acts', '{}']);
    assert.equal(code, 3);
    assert.match(stderr, /BROKER_UNREACHABLE/);
  });
});

describe('module', () => {
  test('a fault of the broker keeps its code and decides the exit', async () => {
    const error = { code: 'MODULE_UNKNOWN', message: 'there is no module x', retryable: false };
    answers.set('ops.module.info', () => ({ error }));
    const { code, stderr } = await run(['module', 'info', 'x', '--json']);
    assert.equal(code, 1);
    assert.deepEqual(JSON.parse(stderr), { error });
  });

  test('list is a table, and stats has a line an action', async () => {
    answers.set('ops.module.list', () => ({ modules: STATUS.modules }));
    answers.set('ops.module.stats', () => ({
      modules: [
        {
          name: 'accounts',
          handled: 7,
          pending: 0,
          agents: 2,
          actions: [{ action: 'deposit', commands: 9, calls: 7, errors: 1, meanMs: 1.234 }],
        },
      ],
    }));
    assert.match((await run(['module', 'list'])).stdout, /^MODULE +VERSION +STATE/);
    assert.match((await run(['module', 'stats'])).stdout, /^accounts +7 +0 +2 +deposit +9 +7 +1 +1\.23$/m);
  });

  test('load sends an absolute directory, unload its flag', async () => {
    const bodies: string[] = [];
    const [status] = STATUS.modules;
    for (const subject of ['ops.module.load', 'ops.module.unload']) {
      answers.set(subject, (body) => {
        bodies.push(body);
        return status;
      });
    }
    await run(['module', 'load', '/some/../dir']);
    await run(['module', 'unload', 'accounts', '--with-dependents']);
    assert.deepEqual(
      bodies.map((body) => JSON.parse(body) as unknown),
      [
        // The broker answers before the command gives up.
        { dir: '/dir', waitMs: 120_000 },
        { name: 'accounts', withDependents: true, waitMs: 120_000 },
      ],
    );
  });

  test('a broker that does not answer exits 3', async () => {
    // A reload asks for the directory first.
    answers.set('ops.module.info', () => ({ ...STATUS.modules[0], dir: '/dir', output: [] }));
    const { code, stderr } = await run(['module', 'reload', 'accounts', '--timeout', '100ms']);
    assert.equal(code, 3);
    // The broker itself answers within the 100 ms; the command waits 10 s longer for that.
    assert.match(stderr, /BROKER_UNREACHABLE: .*did not answer within 10100 ms/);
  });
});

describe('replay history', () => {
  before(async () => {
    await (await jetstreamManager(nc)).streams.add({
      name: 'LOG',
      subjects: ['cmd.>', 'res.>', 'evt.>', 'epoch.>'],
    });
    const js = jetstream(nc);
    await Promise.all(
      Array.from({ length: 5_000 }, (_, i) => js.publish(`evt.accounts.deposited.a${i % 2}`, `{"i":${i}}`)),
    );
  });

  test('one line a record, as text or as JSON', async () => {
    const json = await run(['replay', 'history', '--agent', 'a1', '--json']);
    const lines = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { seq: number; agent: string });
    assert.deepEqual(
      lines.map(({ seq }) => seq),
      Array.from({ length: 2_500 }, (_, i) => 2 * i + 2),
    );
    assert.equal(json.code, 0);
    const text = await run(['replay', 'history', '--from', '3', '--to', '4']);
    assert.match(text.stdout, /^ +3 \S+Z evt accounts\.deposited a0 +accounts +- \{"i":2\}\n +4 .*\n$/);
  });

  test('a reader that has seen enough is no error', async () => {
    const command = `"${process.execPath}" "${tallystickPath()}" replay history --json --server ${server.url}; echo "exit $?" >&2`;
    const { stdout, stderr } = await runProgram('sh', ['-c', `{ ${command}; } | head -n 2`], {
      env: CLEAN_ENV,
    });
    assert.equal(stdout.trimEnd().split('\n').length, 2);
    assert.equal(stderr, 'exit 0\n');
  });

  test('Ctrl-C ends a follow with 0', async () => {
    const args = [
      tallystickPath(),
      'replay',
      'history',
      '--follow',
      '--from',
      '5000',
      '--server',
      server.url,
    ];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...CLEAN_ENV },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = follow(child);
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    await waitFor('the last record', () => out.includes('{"i":4999}'));
    await jetstream(nc).publish('evt.accounts.deposited.later', '{}');
    await waitFor('a later record', () => out.includes('later'));
    child.kill('SIGINT');
    assert.equal((await exited).code, 0);
  });

  test('a server without a log exits 3', async () => {
    await using other = await startServer({ name: 'cli-empty' });
    const { code, stderr } = await tallystick(['replay', 'history', '--server', other.url]);
    assert.equal(code, 3);
    assert.match(stderr, /LOG_UNAVAILABLE/);
  });
});
