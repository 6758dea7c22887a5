import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { readLog } from '../../journal/read/reader.js';
import { FaultError } from '../../schemas/errors.js';
import { startServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';
import { createLog, dial, fill, range } from './read-log.js';

describe('reading while the server is killed', () => {
  test('I1 a bounded read over kill -9 and restart loses and doubles nothing', async () => {
    await using server = await startServer({ name: 'killed' });
    const nc = await dial(server);
    await createLog(nc);
    await fill(nc, 30_000, (i) => `evt.m.y.a${i % 7}`);
    const seen: number[] = [];
    for await (const { seq } of readLog(nc)) {
      seen.push(seq);
      if (seq === 100 || seq === 12_000 || seq === 29_999) await server.restart('SIGKILL');
    }
    assert.deepEqual(seen, range(1, 30_000));
    await nc.close();
  });

  test('I1 following over kill -9 and restart loses and doubles nothing', async () => {
    await using server = await startServer({ name: 'follow-killed' });
    const nc = await dial(server);
    await createLog(nc);
    const abort = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      const filters = ['evt.m.y.a', 'res.m.y.a'];
      for await (const { seq, data } of readLog(nc, { follow: true, filters, signal: abort.signal })) {
        seen.push(`${seq} ${new TextDecoder().decode(data)}`);
      }
    })();
    for (let round = 0; round < 3; round++) {
      await fill(nc, 1_000, () => 'evt.m.y.a');
      await waitFor(`round ${round}`, () => seen.length >= round * 1_000 + 1);
      await server.restart('SIGKILL');
      await waitFor('the connection', async () => {
        await nc.flush();
        return true;
      });
    }
    await waitFor('all records', () => seen.length >= 3_000);
    const expected = range(1, 3_000).map((seq) => `${seq} {"i":${(seq - 1) % 1_000}}`);
    assert.deepEqual(seen, expected);
    abort.abort();
    await following;
    await nc.close();
  });

  test('a server that stays away ends a bounded read with LOG_UNAVAILABLE', async () => {
    await using server = await startServer({ name: 'gone' });
    const nc = await dial(server);
    await createLog(nc);
    await fill(nc, 20_000, () => 'evt.m.y.a');
    const reading = async (): Promise<void> => {
      for await (const { seq } of readLog(nc, { patienceMs: 300 }))
        if (seq === 10) await server.kill('SIGKILL');
    };
    await assert.rejects(
      reading(),
      (error) =>
        error instanceof FaultError && error.fault.code === 'LOG_UNAVAILABLE' && error.fault.retryable,
    );
    await nc.close();
  });

  test('I9 a log that lost its tail is told, not read on', async () => {
    await using server = await startServer({ name: 'tail' });
    const nc = await dial(server);
    await createLog(nc);
    await fill(nc, 100, () => 'evt.m.y.a');
    const jsm = await jetstreamManager(nc);
    const reading = async (): Promise<void> => {
      for await (const { seq } of readLog(nc, { follow: true, signal: AbortSignal.timeout(20_000) })) {
        if (seq !== 100) continue;
        // What a server that lost its unsynced files comes back with: the same stream, shorter.
        await jsm.streams.delete('LOG');
        await createLog(nc);
        await fill(nc, 40, () => 'evt.m.y.a');
      }
    };
    await assert.rejects(
      reading(),
      (error) => error instanceof FaultError && error.fault.code === 'LOG_MISMATCH',
    );
    await nc.close();
  });
});
