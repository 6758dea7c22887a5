import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jetstream } from '@nats-io/jetstream';
import { createLog, dial, readAll } from '../../support/log.js';
import { startServer } from '../../support/server.js';
import { waitFor } from '../../support/wait-for.js';

test('I1 a Nats-Msg-Id that one module has used does not swallow the record of another', async () => {
  await using server = await startServer({ name: 'ids' });
  const nc = await dial(server);
  await createLog(nc);
  const js = jetstream(nc);
  await js.publish('evt.one.happened', '1', { msgID: 'same' });
  // Two minutes was the default of the server; within the shortest window that it takes, it still looks.
  await waitFor(
    'the record of the other module to be stored',
    async () => !(await js.publish('evt.other.happened', '2', { msgID: 'same' })).duplicate,
    20_000,
  );
  assert.deepEqual(
    (await readAll(nc)).map(({ subject }) => subject),
    ['evt.one.happened', 'evt.other.happened'],
  );
  await nc.close();
});
