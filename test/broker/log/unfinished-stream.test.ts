import assert from 'node:assert/strict';
import { rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'nats';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { checkLog } from '../../support/log-checks.js';
import { tempDir } from '../../support/temp-dir.js';

const COMMANDS = 20;
const STREAM = ['server', 'store', 'jetstream', 'CORE', 'streams', 'LOG'];

/** What a kill or a loss of power can leave of the settings of a stream and their checksum. */
const DAMAGES: Readonly<Record<string, (settings: string, checksum: string) => void>> = {
  'no checksum': (_, checksum) => rmSync(checksum),
  'an empty checksum': (_, checksum) => truncateSync(checksum),
  'empty settings': (settings) => truncateSync(settings),
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  test(`I1 a log with ${what} has all of its records after the next start, and after every later one`, async () => {
    await using dir = tempDir();
    const start = (): Promise<TestBroker> => startBroker({ dataDir: dir.path, shipped: ['accounts'] });
    const served = async (work: (broker: TestBroker) => Promise<void>): Promise<void> => {
      await using broker = await start();
      await work(broker);
      await broker.stop();
    };
    const commands = async (): Promise<number> => (await checkLog(dir.path)).commands;

    await served(async ({ url }) => {
      const nc = await connect({ servers: url });
      for (let i = 0; i < COMMANDS; i++) await nc.request(`cmd.accounts.balance.a${i}`, '{}');
      await nc.close();
    });
    const [settings, checksum] = ['meta.inf', 'meta.sum'].map((file) => join(dir.path, ...STREAM, file));
    assert.ok(settings !== undefined && checksum !== undefined && statSync(checksum).size > 0);
    damage(settings, checksum);

    await served(async ({ stderr }) => {
      assert.equal(await commands(), COMMANDS);
      // The server did not find it: that is said, although nothing is lost.
      assert.match(stderr.join('\n'), /LOG_REPLACED/);
    });
    await served(async ({ stderr }) => {
      assert.equal(await commands(), COMMANDS);
      assert.doesNotMatch(stderr.join('\n'), /LOG_|do not match|Missing/);
    });
  });
}
