import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type Socket, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Either, isLeft, isRight } from 'fp-ts/lib/Either.js';
import { connect } from 'nats';
import { freePort } from '../../../system/processes/free-port.js';
import { processState } from '../../../system/processes/process-identity.js';
import { startReaper } from '../../../system/processes/reaper.js';
import { type EmbeddedOptions, type EmbeddedServer, startEmbedded } from '../../../broker/server/embedded.js';
import { serverThreads } from '../../../broker/server/server-threads.js';
import type { Fault } from '../../../schemas/errors.js';
import { compiled, runScript } from '../../system/processes/node-script.js';
import { until } from '../../system/processes/until.js';
import { realServer, scratchDir } from './release-site.js';

const HOST = '127.0.0.1';

const portOf = async (): Promise<number> => {
  const port = await freePort(HOST)();
  assert.ok(isRight(port));
  return port.right;
};

/** A configuration of its own in a directory of its own, with a reaper, and all that the server reports. */
const setUp = async (more = '') => {
  const dir = scratchDir();
  const port = await portOf();
  const configPath = join(dir.path, 'server.conf');
  const store = JSON.stringify(join(dir.path, 'store'));
  writeFileSync(configPath, `listen: "${HOST}:${port}"\njetstream { store_dir: ${store} }\n${more}`);
  const reaper = startReaper();
  const [lines, downs, ups]: [string[], string[], number[]] = [[], [], []];
  const options: EmbeddedOptions = {
    binary: realServer(),
    configPath,
    host: HOST,
    port,
    reaper,
    memoryLimitBytes: 256 * 1024 * 1024,
    logLine: (line) => lines.push(line),
    onDown: (reason) => downs.push(reason),
    onUp: () => ups.push(Date.now()),
  };
  const dispose = (): void => {
    reaper.close();
    dir[Symbol.dispose]();
  };
  return { options, configPath, port, lines, downs, ups, [Symbol.dispose]: dispose };
};

const started = (outcome: Either<Fault, EmbeddedServer>): EmbeddedServer => {
  assert.ok(isRight(outcome), JSON.stringify(outcome));
  return outcome.right;
};

const isGone = (pid: number | undefined): boolean => pid === undefined || processState(pid).kind === 'gone';

const answers = async (port: number): Promise<boolean> => {
  const connection = await connect({ servers: `${HOST}:${port}`, reconnect: false }).catch(() => undefined);
  await connection?.flush();
  await connection?.close();
  return connection !== undefined;
};

describe('embedded server', () => {
  test('uses one of two processors, and what Go decides elsewhere', () => {
    assert.deepEqual(serverThreads(2), { GOMAXPROCS: '1' });
    for (const processors of [1, 3, 4, 64]) assert.deepEqual(serverThreads(processors), {});
  });

  test('starts, answers at once, hands on its log, and leaves no process when it is stopped', async () => {
    using at = await setUp();
    await using server = started(await startEmbedded(at.options)());
    const { pid } = server;
    assert.ok(await answers(at.port));
    await until('its log has come', () => at.lines.some((line) => line.includes('Server is ready')));
    // JetStream takes three quarters of GOMEMLIMIT where the configuration has no max_memory of its own.
    assert.ok(
      at.lines.some((line) => /Max Memory: +192\.00 MB/.test(line)),
      at.lines.join('\n'),
    );
    await Promise.all([server.stop(), server.stop()]);
    assert.ok(isGone(pid));
    assert.equal(server.pid, undefined);
    assert.deepEqual([at.downs, at.ups], [[], []]);
  });

  test('is started again on the same port when it is killed, again and again, and each is reported', async () => {
    using at = await setUp();
    await using server = started(await startEmbedded(at.options)());
    for (let kills = 1; kills <= 3; kills++) {
      const { pid } = server;
      assert.ok(pid);
      process.kill(pid, 'SIGKILL');
      await until('it is up again', () => at.ups.length === kills);
      assert.equal(at.downs[kills - 1], `nats-server (pid ${pid}) ended: killed by SIGKILL`);
      assert.ok(await answers(at.port));
    }
  });

  test('a configuration that is wrong is told in the words of the server', async () => {
    using at = await setUp('jetstreamm: {\n');
    const outcome = await startEmbedded(at.options)();
    assert.ok(isLeft(outcome));
    assert.equal(outcome.left.code, 'SERVER_START_FAILED');
    assert.match(outcome.left.message, /exit code 1\n.*Parse error on line 4/s);
  });

  test('a program that cannot be run is told', async () => {
    using at = await setUp();
    const outcome = await startEmbedded({ ...at.options, binary: '/nowhere/nats-server' })();
    assert.ok(isLeft(outcome));
    assert.equal(outcome.left.code, 'SERVER_START_FAILED');
    assert.match(outcome.left.message, /ENOENT/);
  });

  test('a port that is in use is told with its holder, and no server is started', async () => {
    using at = await setUp();
    const holder = createServer().unref().listen(at.port, HOST);
    await once(holder, 'listening');
    const outcome = await startEmbedded(at.options)();
    assert.ok(isLeft(outcome));
    assert.equal(outcome.left.code, 'PORT_IN_USE');
    assert.match(outcome.left.message, new RegExp(`\\(pid ${process.pid}\\)`));
    assert.deepEqual(at.lines, []);
    holder.close();
  });

  test('a server that does not answer in time is ended, with its last lines in the error', async () => {
    using at = await setUp();
    // It is asked where it does not listen.
    const elsewhere = { ...at.options, port: await portOf(), readyTimeoutMs: 1500 };
    const outcome = await startEmbedded(elsewhere)();
    assert.ok(isLeft(outcome));
    assert.match(outcome.left.message, /did not answer on .* within 1\.5 s\n.*Server is ready/s);
    assert.equal(await answers(at.port), false);
  });

  test('a restart that meets a taken port is reported and tried until the port is free', async () => {
    using at = await setUp();
    const taken: Socket[] = [];
    const holder = createServer((socket) => taken.push(socket)).unref();
    const onDown = (reason: string): void => {
      // In the moment of the death, before the restart.
      if (at.downs.push(reason) === 1) holder.listen(at.port, HOST);
    };
    await using server = started(await startEmbedded({ ...at.options, onDown })());
    process.kill(server.pid ?? 0, 'SIGKILL');
    await until('a restart has failed', () => at.downs.length >= 2);
    assert.match(at.downs[1] ?? '', /is in use by/);
    for (const socket of taken) socket.destroy();
    holder.close();
    await until('it is up again', () => at.ups.length === 1);
  });

  test('a stop while it is down ends the restarts', async () => {
    using at = await setUp();
    let server: EmbeddedServer | undefined;
    const stopped: Promise<void>[] = [];
    const onDown = (): void => {
      if (server !== undefined) stopped.push(server.stop());
    };
    server = started(await startEmbedded({ ...at.options, onDown })());
    process.kill(server.pid ?? 0, 'SIGKILL');
    await until('the stop was asked for', () => stopped.length > 0);
    await stopped[0];
    assert.equal(await answers(at.port), false);
    assert.equal(at.ups.length, 0);
  });

  test('a server that does not heed SIGTERM is killed after the grace', async () => {
    using at = await setUp();
    await using server = started(await startEmbedded({ ...at.options, stopGraceMs: 200 })());
    const { pid } = server;
    process.kill(pid ?? 0, 'SIGSTOP');
    await server.stop();
    assert.ok(isGone(pid));
  });

  test('the server does not outlive a broker that is killed with -9', async () => {
    using at = await setUp();
    const { binary, configPath, host, port } = at.options;
    const broker = runScript(`
      import { startReaper } from '${compiled('system/processes/reaper.js')}';
      import { startEmbedded } from '${compiled('broker/server/embedded.js')}';
      const nothing = () => undefined;
      const given = ${JSON.stringify({ binary, configPath, host, port })};
      const options = { ...given, reaper: startReaper(), logLine: nothing, onDown: nothing, onUp: nothing };
      const outcome = await startEmbedded(options)();
      console.log(outcome.right.pid);
    `);
    const pid = Number(await broker.nextLine());
    assert.equal(processState(pid).kind, 'alive');
    await broker.kill();
    await until('the server is gone', () => isGone(pid));
  });
});
