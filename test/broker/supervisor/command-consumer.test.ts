import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { ensureCommandConsumer } from '../../../broker/supervisor/command-consumer.js';
import { LOG } from '../../../schemas/log.js';
import { createLog, dial } from '../../support/log.js';
import { startServer } from '../../support/server.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { PATIENT } from '../../support/patient.js';

const MODULE = 'accounts';
const COMMANDS = 5;

test('I3 a consumer that is made over what a loss of power left of one begins with the log', async () => {
  await using dir = tempDir();
  await using server = await startServer({ storeDir: dir.path });
  const connected = async (work: (jsm: JetStreamManager) => Promise<void>): Promise<void> => {
    const nc = await dial(server);
    try {
      await work(await jetstreamManager(nc));
    } finally {
      await nc.close();
    }
  };
  const floor = async (jsm: JetStreamManager): Promise<number> =>
    (await ensureCommandConsumer(jsm, MODULE)).ack_floor.stream_seq;
  await connected(async (jsm) => {
    const { nc } = jsm as unknown as { nc: Awaited<ReturnType<typeof dial>> };
    await createLog(nc);
    assert.equal(await floor(jsm), 0);
    for (let i = 0; i < COMMANDS; i++) await nc.request(`cmd.${MODULE}.deposit.a${i}.guest`, '{}', PATIENT);
    const inbox = nc.subscribe('here', { max: COMMANDS, callback: (_, msg) => void msg.respond() });
    nc.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${LOG}.${MODULE}`,
      JSON.stringify({ batch: COMMANDS, expires: 5_000_000_000, group: 'host' }),
      { reply: 'here' },
    );
    await inbox.closed;
    await waitFor('all to be acknowledged', async () => (await floor(jsm)) === COMMANDS);
  });

  await server.restart('SIGTERM');
  await connected(async (jsm) => assert.equal(await floor(jsm), COMMANDS));
  await server.kill('SIGTERM');
  truncateSync(join(dir.path, 'jetstream', '$G', 'streams', LOG, 'obs', MODULE, 'meta.inf'));
  for (let start = 1; start <= 2; start++) {
    await server.restart('SIGTERM');
    await connected(async (jsm) => assert.equal(await floor(jsm), 0, `start ${start}`));
  }
  assert.equal(server.log().match(/Error unmarshalling consumer metafile/g)?.length, 1);
});
