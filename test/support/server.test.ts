import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { natsCli, natsSpawn } from './nats-cli.js';
import { isAlive } from './processes.js';
import { startServer } from './server.js';
import { waitFor } from './wait-for.js';

const STREAM = ['--defaults', '--subjects=a.>', '--storage=file'];

describe('the server and the command line that tests use', () => {
  it('the server is real, on a port of its own, and gone after its scope', async () => {
    let pid: number;
    let storeDir: string;
    {
      await using server = await startServer({ syncInterval: 'always', config: 'max_payload: 4096' });
      ({ pid, storeDir } = server);
      assert.ok(isAlive(pid));
      const { code, stdout } = await natsCli(['server', 'check', 'connection'], { url: server.url });
      assert.equal(code, 0, stdout);
      assert.match(server.log(), /Version:\s+2\.15\.1/);
    }
    assert.equal(isAlive(pid), false);
    assert.equal(existsSync(storeDir), process.env.KEEP === '1');
  });

  it('what was acknowledged is there after kill and restart, at the same address', async () => {
    await using server = await startServer({ syncInterval: 'always' });
    const { url, pid } = server;
    assert.equal((await natsCli(['stream', 'add', 'A', ...STREAM], { url })).code, 0);
    assert.equal((await natsCli(['pub', '--jetstream', 'a.b', 'hello'], { url })).code, 0);
    assert.deepEqual(await server.kill('SIGKILL'), { code: null, signal: 'SIGKILL' });
    assert.notEqual((await natsCli(['server', 'check', 'connection'], { url })).code, 0);
    await server.restart();
    assert.equal(server.url, url);
    assert.notEqual(server.pid, pid);
    const { stdout } = await natsCli(['stream', 'get', 'A', '1'], { url });
    assert.match(stdout, /hello/);
  });

  it('a command that goes on gives its lines as they come', async () => {
    await using server = await startServer();
    await using sub = natsSpawn(['sub', '--raw', 'x.*'], { url: server.url });
    await waitFor('the subscription', async () => {
      await natsCli(['pub', 'x.y', 'tick'], { url: server.url });
      return sub.stdout.length > 0;
    });
    assert.equal(await sub.line(/tick/), 'tick');
    await assert.rejects(sub.line(/tock/, 50), /waited 50 ms for .*tock/);
    await sub.stop();
    assert.equal(isAlive(sub.pid), false);
  });

  it('a server that refuses its configuration fails at once, with its log', async () => {
    await assert.rejects(startServer({ config: 'no_such_setting: 1' }), /nats-server ended at its start/);
  });
});
