import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { NatsConnection } from 'nats';
import { IndexFeed } from '../../../broker/index/index-feed.js';
import { readAll } from '../../support/log.js';
import { createLog, dial } from '../../support/log.js';
import { fillLog } from '../../support/fill-log.js';
import { startServer, type TestServer } from '../../support/server.js';
import { startReader } from '../../support/start-reader.js';
import { waitFor } from '../../support/wait-for.js';

/** An index that has room when the test says so. */
class Index {
  readonly taken: number[] = [];
  /** Records that came without their payload. */
  bare = 0;
  isFull = false;
  #waiting: (() => void)[] = [];

  room(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  empty(): void {
    this.isFull = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

describe('what the index takes from the reader', () => {
  let server: TestServer;
  let nc: NatsConnection;
  let stored = 0;

  before(async () => {
    server = await startServer({ name: 'index-feed', syncInterval: '2m' });
    nc = await dial(server);
    await createLog(nc);
  });

  after(async () => {
    await nc?.close();
    await server?.[Symbol.asyncDispose]();
  });

  const store = async (count: number): Promise<void> => {
    await fillLog(nc, count, (i) => `evt.m.happened.x${stored + i}`);
    stored += count;
  };

  /** A feed of an index that has nothing yet, of a log that the reader reads from its end on. */
  const open = (mostRecords?: number) => {
    const index = new Index();
    const urgent: number[] = [];
    const reader = startReader(nc, stored, ({ message }) => assert.fail(message));
    reader.on('urgent', (records) => urgent.push(...records.map(({ seq }) => seq)));
    const stop = new AbortController();
    const feed = new IndexFeed({
      nc,
      reader,
      position: () => index.taken.at(-1) ?? 0,
      take: ({ seq, data }) => {
        index.taken.push(seq);
        if (data.length === 0) index.bare += 1;
      },
      isFull: () => index.isFull,
      room: () => index.room(),
      signal: stop.signal,
      ...(mostRecords === undefined ? {} : { mostRecords }),
    });
    const running = feed.run();
    const close = async (): Promise<void> => {
      stop.abort();
      index.empty();
      await running;
      await reader.close();
    };
    return { index, urgent, running, close };
  };

  const all = async (): Promise<readonly number[]> => (await readAll(nc)).map(({ seq }) => seq);

  it('is each record once and in order: those from before the reader without payload, the later ones as they come', async () => {
    await store(3_000);
    const { index, close } = open();
    await waitFor('the index to have the log', () => index.taken.length === stored);
    const old = stored;
    await store(2_000);
    await waitFor('the index to have the rest', () => index.taken.length === stored);
    assert.deepEqual(index.taken, await all());
    assert.equal(index.bare, old);
    await close();
  });

  it('stops nobody: while it has no room the reader reads on, and it takes what waited when it has', async () => {
    const { index, urgent, close } = open();
    await waitFor('the index to have the log', () => index.taken.length === stored);
    index.isFull = true;
    await store(2_000);
    await waitFor('the reader to have all', () => urgent.at(-1) === stored);
    assert.ok(index.isWaiting);
    assert.equal(index.taken.length, stored - 2_000);
    index.empty();
    await waitFor('the index to have the rest', () => index.taken.length === stored);
    assert.deepEqual(index.taken, await all());
    await close();
  });

  it('is read from the log again where too much waited, in order and nothing twice', async () => {
    const { index, urgent, close } = open(1_000);
    await waitFor('the index to have the log', () => index.taken.length === stored);
    const before = index.bare;
    for (let round = 0; round < 3; round++) {
      index.isFull = true;
      await store(3_000);
      await waitFor('the reader to have all', () => urgent.at(-1) === stored);
      assert.ok(index.isWaiting);
      index.empty();
      await waitFor('the index to have the rest', () => index.taken.length === stored);
    }
    assert.deepEqual(index.taken, await all());
    // They came by the second consumer.
    assert.ok(index.bare - before > 6_000, `${index.bare - before}`);
    await close();
  });

  it('ends with what the index threw', async () => {
    const { index, running, close } = open();
    await waitFor('the index to have the log', () => index.taken.length === stored);
    const push = index.taken.push.bind(index.taken);
    index.taken.push = () => {
      index.taken.push = push;
      throw new Error('no row fits');
    };
    await store(1);
    await assert.rejects(running, /no row fits/);
    await close().catch(() => undefined);
  });
});
