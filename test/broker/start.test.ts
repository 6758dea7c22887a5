import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import {
  DiscardPolicy,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { connect } from 'nats';
import { startBroker, type TestBroker, tallystick } from '../support/broker.js';
import { brokerStatus } from '../support/broker-status.js';
import { byForm } from '../support/form.js';
import { isAlive, processesMentioning } from '../support/processes.js';
import { natsCall } from '../support/requests.js';
import type { ProgramResult } from '../support/run-program.js';
import { startServer, type TestServer } from '../support/server.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { connectWith } from './access/attempts.js';

const MIB = 1024 * 1024;

interface Refusal {
  readonly code: number | null;
  readonly error: { readonly code: string; readonly message: string };
}

const refusalOf = ({ code, stdout, stderr }: ProgramResult): Refusal => {
  assert.equal(stdout, '');
  const line = stderr.trimEnd().split('\n').at(-1) ?? '';
  return { code, error: (JSON.parse(line) as { error: Refusal['error'] }).error };
};

/** A start that is to fail. */
const refusedStart = async (
  dataDir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Refusal> =>
  refusalOf(await tallystick(['start', '--json', ...args], { dataDir, env, timeoutMs: 60_000 }));

const deposit = async (url: string): Promise<unknown> =>
  (await natsCall(url, 'accounts.deposit.alice', '{"amount":1}')).result.status;

/** Every process that the broker had, by their ids and by what their command lines say. */
const noneLeft = ({ ready, dataDir }: TestBroker): Promise<true> =>
  waitFor('every process to end', () => {
    const left = [
      ...processesMentioning(dataDir).map(({ pid, command }) => `${pid} ${command}`),
      ...ready.modules.map(({ pid }) => pid).filter(isAlive),
    ];
    if (left.length > 0) throw new Error(left.join('; '));
    return true as const;
  });

describe('a broker with a server of its own', () => {
  it('prints one line when it is ready, and answers from then on', async (t) => {
    const began = performance.now();
    await using broker = await startBroker();
    t.diagnostic(`ready after ${Math.round(performance.now() - began)} ms`);
    const { ready, dataDir } = broker;
    assert.equal(broker.stdout.length, 1);
    assert.match(ready.nats, /^nats:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(ready.pid, broker.pid);
    assert.equal(ready.dataDir, dataDir);
    assert.equal(ready.durability, 'fsync');
    assert.equal(ready.server.embedded, true);
    assert.equal(await deposit(broker.url), 'ok');
    assert.ok((await brokerStatus(dataDir)).modules.every(({ state }) => state === 'loaded'));
  });

  it('refuses a data directory that another broker has, and names that process', async () => {
    await using broker = await startBroker({ shipped: ['accounts'] });
    const { code, error } = await refusedStart(broker.dataDir, ['--nats-port', '0']);
    assert.equal(code, 3);
    assert.equal(error.code, 'DATA_DIR_IN_USE');
    assert.match(error.message, new RegExp(`in use by pid ${broker.pid} \\(.*tallystick\\.js start`));
    assert.equal(await deposit(broker.url), 'ok');
  });

  it('refuses a port that is taken, and names the process that listens there', async () => {
    await using dir = tempDir();
    const listener = createServer().listen(0, '127.0.0.1');
    await waitFor('the listener', () => listener.listening);
    const { port } = listener.address() as { port: number };
    try {
      const { code, error } = await refusedStart(dir.path, ['--nats-port', String(port)]);
      assert.equal(code, 3);
      assert.equal(error.code, 'PORT_IN_USE');
      assert.match(error.message, new RegExp(`${port}.*pid ${process.pid}|pid ${process.pid}.*${port}`));
    } finally {
      listener.close();
    }
  });

  it('refuses a port that another broker has, and names that broker and its data directory', async () => {
    await using dir = tempDir();
    await using home = tempDir();
    const dataDir = join(home.path, 'a name with spaces');
    await using broker = await startBroker({ dataDir, shipped: [] });
    const { port } = new URL(broker.url);
    const { code, error } = await refusedStart(dir.path, ['--nats-port', port]);
    assert.equal(code, 3);
    assert.equal(error.code, 'PORT_IN_USE');
    assert.equal(
      error.message,
      `port ${port} on 127.0.0.1 is in use by the broker with pid ${broker.pid}, whose data directory is ${dataDir}: ` +
        'stop it, or choose another port with --nats-port, or 0 for a free one',
    );
  });

  it('refuses a NATS_SERVER that is no nats-server, and names it', async () => {
    await using dir = tempDir();
    const nowhere = join(dir.path, 'no-such-server');
    const { code, error } = await refusedStart(dir.path, ['--nats-port', '0'], { NATS_SERVER: nowhere });
    assert.equal(code, 3);
    assert.equal(error.code, 'SERVER_NOT_FOUND');
    assert.ok(error.message.includes(`NATS_SERVER=${nowhere}`), error.message);
    assert.match(error.message, /no such file/);
  });

  for (const signal of byForm({ short: ['SIGTERM'], deep: ['SIGTERM', 'SIGINT'] } as const)) {
    it(`${signal} ends it with exit code 0 and leaves no process behind`, async () => {
      await using broker = await startBroker({ shipped: ['accounts'] });
      assert.equal(await deposit(broker.url), 'ok');
      assert.deepEqual(await broker.kill(signal), { code: 0, signal: null });
      await noneLeft(broker);
      assert.equal(existsSync(join(broker.dataDir, 'broker.json')), false);
    });
  }

  it('a broker that is killed leaves no process behind, and the next one has all that was recorded', async () => {
    await using dir = tempDir();
    await using killed = await startBroker({ dataDir: dir.path, shipped: ['accounts'] });
    assert.equal(await deposit(killed.url), 'ok');
    await killed.kill('SIGKILL');
    await noneLeft(killed);
    await using next = await startBroker({ dataDir: dir.path, shipped: ['accounts'] });
    const { stdout } = await tallystick(['call', 'accounts.balance.alice', '--json'], { dataDir: dir.path });
    assert.deepEqual(JSON.parse(stdout), { status: 'ok', data: { balance: 1, outgoing: 0 } });
    await next.stop();
  });

  it('the log has the limit that is asked for; a later start changes it, and says so', async () => {
    await using dir = tempDir();
    const limits: number[] = [];
    const said: string[] = [];
    for (const args of [['--max-bytes', '64MiB'], [], ['--max-bytes', '128MiB']]) {
      await using broker = await startBroker({ dataDir: dir.path, args: [...args, '--no-shipped'] });
      limits.push((await brokerStatus(dir.path)).log.maxBytes);
      said.push(...broker.stderr.filter((line) => line.includes('max_bytes')));
      await broker.stop();
    }
    assert.deepEqual(limits, [64 * MIB, 64 * MIB, 128 * MIB]);
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', /\[log\] max_bytes was 67108864 and is now 134217728/);
  });
});

describe('a broker on a server that runs elsewhere', () => {
  /** The server's configuration, beside which the accounts lie in the broker's data directory. */
  const including = (dataDir: string): string => `include "../${basename(dataDir)}/accounts.conf"`;

  /** A server that includes what a first, refused start has written. */
  const serverFor = async (dataDir: string, syncInterval?: string): Promise<TestServer> => {
    await using plain = await startServer();
    await refusedStart(dataDir, ['--nats', plain.url]);
    return startServer({
      config: including(dataDir),
      ...(syncInterval === undefined ? {} : { syncInterval }),
    });
  };
  const start = (dataDir: string, url: string): Promise<TestBroker> =>
    // The port belongs to the embedded server: nothing of it here.
    startBroker({ dataDir, natsUrl: url, shipped: ['accounts'], args: ['--durability', 'os'] });

  const asCore = async (
    dataDir: string,
    url: string,
    work: (jsm: JetStreamManager) => Promise<unknown>,
  ): Promise<void> => {
    const nc = await connectWith(url, readFileSync(join(dataDir, 'keys', 'core.nk'), 'utf8').trim());
    await work(await jetstreamManager(nc));
    await nc.close();
  };

  it('says which file a server must include that does not know it', async () => {
    await using dir = tempDir();
    await using plain = await startServer();
    const file = join(dir.path, 'accounts.conf');
    const { code, error } = await refusedStart(dir.path, ['--nats', plain.url]);
    assert.equal(code, 3);
    assert.equal(error.code, 'SERVER_REFUSED');
    assert.ok(error.message.includes(file), error.message);
    assert.match(error.message, /include .*(reload|start it again)/);
    assert.ok(existsSync(file));

    await using guarded = await startServer({ config: 'authorization { user: a, password: b }' });
    const refused = await refusedStart(dir.path, ['--nats', guarded.url]);
    assert.equal(refused.error.code, 'SERVER_REFUSED');
    assert.ok(refused.error.message.includes(file), refused.error.message);
  });

  it('says that nothing answers where nothing does', async () => {
    await using dir = tempDir();
    const { error } = await refusedStart(dir.path, ['--nats', 'nats://127.0.0.1:1']);
    assert.equal(error.code, 'SERVER_UNREACHABLE');
  });

  it('claims durability fsync only where the server keeps it', async () => {
    await using dir = tempDir();
    await using lazy = await serverFor(dir.path);
    const { error } = await refusedStart(dir.path, ['--nats', lazy.url]);
    assert.equal(error.code, 'LOG_MISMATCH');
    assert.match(error.message, /sync_interval: always/);
    await using careful = await startServer({ config: including(dir.path), syncInterval: 'always' });
    await using broker = await startBroker({
      dataDir: dir.path,
      natsUrl: careful.url,
      shipped: ['accounts'],
    });
    assert.equal(broker.ready.durability, 'fsync');
    assert.equal(broker.ready.server.embedded, false);
  });

  it('works as with its own server, and ends without ending that one', async () => {
    await using dir = tempDir();
    await using server = await serverFor(dir.path);
    await using broker = await start(dir.path, server.url);
    assert.equal(broker.ready.nats, server.url);
    assert.equal(await deposit(server.url), 'ok');
    assert.equal((await brokerStatus(dir.path)).server.embedded, false);
    await broker.stop();
    await noneLeft(broker);
    assert.ok(isAlive(server.pid));
  });

  it('a second broker takes the log over, and the first one ends and says why', async () => {
    await using one = tempDir();
    await using two = tempDir();
    await using server = await serverFor(one.path);
    await using first = await start(one.path, server.url);
    assert.equal(await deposit(server.url), 'ok');
    // The same operator's second machine: the accounts of that server are the same.
    cpSync(join(one.path, 'keys'), join(two.path, 'keys'), { recursive: true });
    await using second = await start(two.path, server.url);
    assert.deepEqual(await first.exited, { code: 1, signal: null });
    assert.match(first.stderr.at(-1) ?? '', /EPOCH_LOST.*another broker/);
    await noneLeft(first);
    await waitFor('the second to answer', async () => (await deposit(server.url)) === 'ok');
    assert.ok((await brokerStatus(two.path)).modules.every(({ state }) => state === 'loaded'));
    await second.stop();
  });

  it('updates a log that can be updated, and says what', async () => {
    await using dir = tempDir();
    await using server = await serverFor(dir.path);
    await asCore(dir.path, server.url, (jsm) =>
      jsm.streams.add({
        name: 'LOG',
        subjects: ['cmd.*.*.*', 'evt.*.*'],
        discard: DiscardPolicy.New,
        max_msg_size: 10_000,
      }),
    );
    await using broker = await start(dir.path, server.url);
    for (const said of [
      /\[log\] subjects was .* and is now/,
      /\[log\] max_msg_size was 10000 and is now 1048576/,
    ]) {
      assert.ok(
        broker.stderr.some((line) => said.test(line)),
        broker.stderr.join('\n'),
      );
    }
    assert.equal(await deposit(server.url), 'ok');
    await asCore(dir.path, server.url, async (jsm) => {
      const { config } = await jsm.streams.info('LOG');
      assert.equal(config.deny_purge, true);
    });
  });

  it('refuses a log that cannot be updated, and names the setting', async () => {
    await using dir = tempDir();
    await using server = await serverFor(dir.path);
    for (const [setting, config] of [
      ['storage', { storage: StorageType.Memory }],
      ['retention', { retention: RetentionPolicy.Workqueue }],
    ] as const) {
      await asCore(dir.path, server.url, async (jsm) => {
        await jsm.streams.add({ name: 'LOG', subjects: ['cmd.>', 'evt.>', 'res.>', 'epoch.>'], ...config });
      });
      const { code, error } = await refusedStart(dir.path, ['--nats', server.url, '--durability', 'os']);
      assert.equal(code, 1);
      assert.equal(error.code, 'LOG_MISMATCH');
      assert.match(error.message, new RegExp(`${setting} is "`));
      await asCore(dir.path, server.url, (jsm) => jsm.streams.delete('LOG'));
    }
    // A guest is let in by the accounts that the file has, also while no broker runs.
    const nc = await connect({ servers: server.url });
    await nc.close();
  });
});
