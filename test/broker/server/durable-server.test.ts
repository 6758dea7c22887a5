import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { memoryFileSystem } from '../../../broker/server/store-disk.js';
import { startBroker } from '../../support/broker.js';
import { startServer } from '../../support/server.js';
import { tempDir } from '../../support/temp-dir.js';
import { refusedStart } from '../log/two-logs.js';

/** On Linux every machine has one; elsewhere there are none to be found. */
const SHM = '/dev/shm';
const inMemory = process.platform === 'linux' ? memoryFileSystem(SHM) : undefined;

describe('a server that does not keep the durability level', () => {
  it('is refused with its disk in memory under fsync, and taken under os', {
    skip: inMemory === undefined,
  }, async () => {
    const dir = mkdtempSync(join(SHM, 'tallystick-test-'));
    try {
      const { code, error } = await refusedStart(dir, ['--nats-port', '0', '--no-shipped']);
      assert.equal(code, 1);
      assert.equal(error.code, 'LOG_MISMATCH');
      assert.match(error.message, new RegExp(`store_dir .*${dir}.*tmpfs.*--durability os`));
      await using broker = await startBroker({ dataDir: dir, args: ['--no-shipped', '--durability', 'os'] });
      await broker.stop();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('ends a broker under fsync when it comes back with a lazy sync', async () => {
    await using dir = tempDir();
    const dataDir = join(dir.path, 'data');
    {
      await using plain = await startServer();
      await refusedStart(dataDir, ['--nats', plain.url]);
    }
    mkdirSync(join(dir.path, 'conf'));
    const storage = join(dir.path, 'conf', 'sync.conf');
    writeFileSync(storage, 'sync_interval: always\n');
    await using server = await startServer({
      config: `include "../${basename(dir.path)}/data/accounts.conf"`,
      jetstream: `include "../${basename(dir.path)}/conf/sync.conf"`,
    });
    await using broker = await startBroker({ dataDir, natsUrl: server.url, args: ['--no-shipped'] });
    writeFileSync(storage, readFileSync(storage, 'utf8').replace('always', '2m'));
    await server.restart();
    assert.deepEqual(await broker.exited, { code: 1, signal: null });
    assert.match(broker.stderr.at(-1) ?? '', /LOG_MISMATCH.*sync_interval/);
  });
});
