import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { startBroker, tallystick } from './broker.js';
import { isAlive } from './processes.js';
import { type TempDir, tempDir } from './temp-dir.js';

const path = process.env.TALLYSTICK_BIN ?? '';

/** Stands in for the broker, so that what is tested here is how a broker is started, met and ended. */
const standIn = async (dir: TempDir, code: string): Promise<void> => {
  const file = join(dir.path, 'stand-in.mjs');
  await writeFile(file, code);
  process.env.TALLYSTICK_BIN = file;
};

const SERVES = `
  const ready = { ready: true, pid: process.pid, nats: 'nats://127.0.0.1:4222', dataDir: process.argv[process.argv.indexOf('--data') + 1], modules: [] };
  process.on('SIGTERM', () => process.exit(Number(process.env.ENDS_WITH ?? 0)));
  console.log(JSON.stringify({ ...ready, args: process.argv.slice(2) }));
  setInterval(() => {}, 1000);`;

describe('startBroker', () => {
  afterEach(() => {
    process.env.TALLYSTICK_BIN = path;
  });

  it('resolves with the ready line and ends the broker and its data with its scope', async () => {
    await using dir = tempDir();
    await standIn(dir, SERVES);
    let seen: { pid: number; dataDir: string };
    {
      await using broker = await startBroker({ args: ['--durability', 'os'] });
      seen = { pid: broker.pid, dataDir: broker.dataDir };
      assert.equal(broker.ready.pid, broker.pid);
      assert.equal(broker.url, 'nats://127.0.0.1:4222');
      const { args } = JSON.parse(broker.stdout[0] ?? '') as { args: string[] };
      assert.equal(
        args.join(' '),
        `start --json --log-format text --data ${seen.dataDir} --nats-port 0 --no-http --durability os`,
      );
      assert.ok(existsSync(seen.dataDir));
    }
    assert.equal(isAlive(seen.pid), false);
    assert.equal(existsSync(seen.dataDir), process.env.KEEP === '1');
  });

  it('stop asks for exit code 0; kill tells the signal', async () => {
    await using dir = tempDir();
    await standIn(dir, SERVES);
    await using good = await startBroker({ dataDir: dir.path });
    await good.stop();
    await using bad = await startBroker({ dataDir: dir.path, env: { ENDS_WITH: '7' } });
    await assert.rejects(bad.stop(), /ended with 7 on SIGTERM/);
    await using killed = await startBroker({ dataDir: dir.path });
    assert.deepEqual(await killed.kill('SIGKILL'), { code: null, signal: 'SIGKILL' });
  });

  it('a broker that ends at its start fails at once, with what it said', async () => {
    await using dir = tempDir();
    await standIn(dir, `console.error('PORT_IN_USE: taken'); process.exitCode = 3;`);
    await assert.rejects(startBroker(), /ended with 3 \(no signal\)\nPORT_IN_USE: taken/);
  });

  it('the command line gets its data directory', async () => {
    await using dir = tempDir();
    await standIn(dir, `console.log(process.argv.slice(2).join(' ')); process.exitCode = 1;`);
    const result = await tallystick(['status', '--json'], { dataDir: '/somewhere' });
    assert.deepEqual(result, { code: 1, stdout: 'status --json --data /somewhere\n', stderr: '' });
  });
});
