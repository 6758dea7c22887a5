import assert from 'node:assert/strict';
import { cpSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect } from 'nats';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { checkLog } from '../../support/log-checks.js';
import { tempDir } from '../../support/temp-dir.js';
import { PATIENT } from '../../support/patient.js';

const COMMANDS = 20;
const STREAM = ['server', 'store', 'jetstream', 'CORE', 'streams', 'LOG'];

/** What a kill or a loss of power can leave of the settings of a stream and their checksum. */
const DAMAGES: Readonly<Record<string, (settings: string, checksum: string) => void>> = {
  'no checksum': (_, checksum) => rmSync(checksum),
  'an empty checksum': (_, checksum) => truncateSync(checksum),
  'empty settings': (settings) => truncateSync(settings),
};

describe('a log whose settings are damaged', () => {
  const dir = tempDir();
  const dataDirs = new Map(Object.keys(DAMAGES).map((what, i) => [what, join(dir.path, `damaged-${i}`)]));
  after(() => dir[Symbol.asyncDispose]());

  /** Only the first broker needs the module: the later ones are asked for the log alone. */
  const served = async (
    dataDir: string,
    shipped: readonly string[],
    work: (broker: TestBroker) => Promise<void>,
  ): Promise<void> => {
    await using broker = await startBroker({ dataDir, shipped });
    await work(broker);
    await broker.stop();
  };

  before(async () => {
    const whole = join(dir.path, 'whole');
    await served(whole, ['accounts'], async ({ url }) => {
      const nc = await connect({ servers: url });
      for (let i = 0; i < COMMANDS; i++) await nc.request(`cmd.accounts.balance.a${i}`, '{}', PATIENT);
      await nc.close();
    });
    for (const dataDir of dataDirs.values()) cpSync(whole, dataDir, { recursive: true });
  });

  for (const [what, damage] of Object.entries(DAMAGES)) {
    it(`I1 with ${what}, it has all of its records after the next start, and after every later one`, async () => {
      const dataDir = dataDirs.get(what) ?? '';
      const commands = async (): Promise<number> => (await checkLog(dataDir)).commands;
      const [settings, checksum] = ['meta.inf', 'meta.sum'].map((file) => join(dataDir, ...STREAM, file));
      assert.ok(settings !== undefined && checksum !== undefined && statSync(checksum).size > 0);
      damage(settings, checksum);

      await served(dataDir, [], async ({ stderr }) => {
        assert.equal(await commands(), COMMANDS);
        // The server did not find it: that is said, although nothing is lost.
        assert.match(stderr.join('\n'), /LOG_REPLACED/);
      });
      await served(dataDir, [], async ({ stderr }) => {
        assert.equal(await commands(), COMMANDS);
        assert.doesNotMatch(stderr.join('\n'), /LOG_|do not match|Missing/);
      });
    });
  }
});
