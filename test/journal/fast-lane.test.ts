import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import fc from 'fast-check';
import { connect, headers, type Msg, type NatsConnection } from 'nats';
import { PULL_BYTES } from '../../journal/read/reader-session.js';
import { type ReadOptions, readLog, readLogBatches } from '../../journal/read/reader.js';
import { WireRecord } from '../../journal/wire/wire-record.js';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage } from '../../schemas/record.js';
import { startBroker } from '../support/broker.js';
import { connectCore } from '../support/fill-log.js';
import { createLog, dial } from '../support/log.js';
import { connectOperator } from '../support/log-checks.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { startServerElsewhere, writeAccounts } from '../support/server-elsewhere.js';
import { startServer, type TestServer } from '../support/server.js';
import { tempDir } from '../support/temp-dir.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { waitFor } from '../support/wait-for.js';
import { PATIENT } from '../support/patient.js';

const RECORDS = 2_000;
const SHOWN = [HEADER.id, HEADER.cause, 'X-Same', 'x-same', 'X-Empty', 'X-Colon', 'None'];
const decoder = new TextDecoder();

const plain = (message: StoredMessage) => ({
  seq: message.seq,
  time: message.time,
  subject: message.subject,
  data: decoder.decode(message.data),
  headers: SHOWN.map((name) => message.header(name)),
});

const read = async (nc: NatsConnection): Promise<StoredMessage[]> => {
  const all: StoredMessage[] = [];
  for await (const message of readLog(nc, { toSeq: RECORDS, signal: AbortSignal.timeout(60_000) }))
    all.push(message);
  return all;
};

describe('reading straight from the bytes of a connection', () => {
  let server: TestServer;
  let nc: NatsConnection;
  let expected: ReturnType<typeof plain>[];

  before(async () => {
    server = await startServer({ name: 'fast-lane' });
    nc = await dial(server);
    await createLog(nc);
    const js = jetstream(nc);
    const payload = (i: number): string =>
      i % 7 === 0 ? '' : `{"i":${i},"é":"\\r\\n${'x'.repeat((i * 37) % 900)}"}\r\n`;
    await Promise.all(
      Array.from({ length: RECORDS }, (_, i) => {
        const h = headers();
        if (i % 3 !== 0) {
          h.set(HEADER.id, `m.1.${i}`);
          h.set(HEADER.cause, `${i}`);
          h.append('X-Same', 'first');
          h.append('X-Same', 'second');
          h.set('X-Colon', ` a: ${HEADER.id}: b `);
        }
        return js.publish(`evt.m.y.a${i % 10}`, payload(i), i % 3 === 0 ? {} : { headers: h });
      }),
    );
    // The client library's own view, by a consumer of its own.
    const consumer = await jetstream(nc).consumers.get('LOG');
    expected = [];
    for await (const message of await consumer.fetch({ max_messages: RECORDS })) {
      const nanos = String(message.timestampNanos);
      expected.push({
        seq: message.seq,
        time: new Date(Number(nanos.slice(0, -6))).toISOString(),
        subject: message.subject,
        data: decoder.decode(message.data),
        headers: SHOWN.map((name) => message.headers?.get(name) || undefined),
      });
    }
    assert.equal(expected.length, RECORDS);
  });
  after(async () => {
    await nc?.close();
    await server?.[Symbol.asyncDispose]();
  });

  test('this version of the client library lets it, and what is read is what the library reads', async () => {
    const all = await read(nc);
    assert.ok(all.every((message) => message instanceof WireRecord));
    assert.deepEqual(all.map(plain), expected);
  });

  test('bytes that arrive in pieces of any size are the same records, and others get theirs', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 50 }),
        async (sizes) => {
          await using way = await startTcpProxy(server.port, { pieces: [...sizes, 60_000] });
          const there = await dial({ url: `127.0.0.1:${way.port}` });
          const heard: string[] = [];
          there.subscribe('other.>', { callback: (_, message) => void heard.push(message.string()) });
          await there.flush();
          const others = Array.from({ length: 200 }, (_, i) => `${i} ${'y'.repeat(i * 7)}`);
          const [all, again] = await Promise.all([
            read(there),
            read(there),
            // A subject may be longer than what is taken of a piece at first.
            ...others.map((text, i) => nc.publish(`other.${'z'.repeat(i % 5 === 0 ? 3_000 : 1)}`, text)),
          ]);
          assert.deepEqual(all.map(plain), expected);
          assert.deepEqual(again.map(plain), expected);
          await nc.flush();
          await waitFor('what was sent to others', () => heard.length === others.length);
          assert.deepEqual(heard, others);
          await there.close();
        },
      ),
      { numRuns: 8 },
    );
  });

  test('I1 a connection that is cut in the middle of records, again and again, costs none', async () => {
    await using way = await startTcpProxy(server.port, { pieces: [997], cutAfterBytes: 300_000 });
    const there = await dial({ url: `127.0.0.1:${way.port}` });
    const all = await read(there);
    assert.ok(way.cuts() >= 2, `${way.cuts()} cuts`);
    assert.deepEqual(all.map(plain), expected);
    await there.close();
  });

  test("a user's own connection is read the client's way, and is patched nowhere", async () => {
    const theirs = await connect({ port: server.port });
    const inside = (theirs as unknown as { protocol: Record<'parser' | 'subscriptions', object> }).protocol;
    const patched = (): readonly boolean[] => [
      Object.hasOwn(inside.parser, 'parse'),
      Object.hasOwn(inside.subscriptions, 'add'),
      Object.hasOwn(theirs, 'request'),
    ];
    const all: StoredMessage[] = [];
    for await (const message of readLog(theirs, { toSeq: RECORDS })) {
      all.push(message);
      if (message.seq === 3) assert.deepEqual(patched(), [false, false, false]);
    }
    assert.ok(all.every((message) => !(message instanceof WireRecord)));
    assert.deepEqual(all.map(plain), expected);
    assert.deepEqual(patched(), [false, false, false]);
    await theirs.close();
  });

  test('readers that come and go on one connection leave it as it was', async () => {
    const own = (): boolean =>
      Object.hasOwn((nc as unknown as { protocol: { parser: object } }).protocol.parser, 'parse');
    await Promise.all([
      read(nc),
      (async () => {
        for await (const { seq } of readLog(nc)) if (seq === 3) break;
      })(),
    ]);
    assert.equal(own(), false);
    assert.equal((await nc.request('$JS.API.INFO', '', PATIENT)).json<{ streams: number }>().streams, 1);
  });
});

test('a reader in another account than the log reads straight from the bytes too', async (t) => {
  await using broker = await startBroker({ shipped: ['accounts'] });
  const nc = await connectOperator(broker.dataDir);
  t.after(() => nc.close());
  await nc.request('call.accounts.deposit.alice', '{"amount":5}', { timeout: 10_000 });
  const all: StoredMessage[] = [];
  for await (const message of readLog(nc)) all.push(message);
  assert.ok(all.some(({ subject }) => subject === 'res.accounts.deposit.alice'));
  assert.deepEqual(
    all.map(({ seq }) => seq),
    all.map((_, i) => i + 1),
  );
  assert.ok(all.every((message) => message instanceof WireRecord));
});

test('a reader in another account reads on behind records that are empty, and gives each as it is stored', async (t) => {
  // A server elsewhere: a program with the key of the log's account stores what the broker refuses to take.
  await using home = tempDir();
  const dataDir = join(home.path, 'data');
  await writeAccounts(dataDir, ['--no-shipped', '--module', join(PROJECT_ROOT, 'dist/modules/accounts')]);
  await using server = await startServerElsewhere(dataDir, { syncInterval: 'always' });
  await using broker = await startBroker({ dataDir, natsUrl: server.url, shipped: ['accounts'] });
  const operator = await connectOperator(broker.dataDir);
  const guest = await connect({ servers: broker.url });
  const core = await connectCore(server.url, dataDir);
  t.after(() => Promise.all([operator.close(), guest.close(), core.close()]));
  const seqOf = (sent: Msg): number => {
    const { seq } = sent.json<{ seq?: number }>();
    return seq ?? assert.fail(`not stored: ${sent.string()}`);
  };
  const send = async (payload: string): Promise<number> =>
    seqOf(await guest.request('cmd.accounts.balance.alice', payload, { timeout: 10_000 }));
  const store = async (payload: string, pin: string): Promise<number> => {
    const h = headers();
    h.set('Nats-Pin-Id', pin);
    const options = { timeout: 10_000, headers: h };
    return seqOf(await core.request('cmd.accounts.balance.alice.guest', payload, options));
  };
  // As answers to a request the server would end at the empty ones; the last one looks as if a delivery had been added to it.
  const own = await store('{}', 'mine');
  for (const payload of ['', '{}', '', '', '{}', '']) await send(payload);
  const last = await store('', 'mine too');
  const read = async (options: ReadOptions): Promise<readonly unknown[]> => {
    const all: unknown[] = [];
    for await (const { seq, subject, headerBytes, data } of readLog(operator, { ...options, toSeq: last }))
      all.push([seq, subject, Buffer.from(headerBytes).toString(), Buffer.from(data).toString()]);
    return all;
  };
  let delivered = 0;
  operator.subscribe('delivered.>', {
    callback: (_, message) => {
      if (message.reply?.startsWith('$JS.ACK.LOG.read-')) delivered += 1;
    },
  });
  const stored = await read({ follow: true });
  assert.equal(delivered, last);
  assert.deepEqual(
    stored.map((record) => (record as [number])[0]),
    Array.from({ length: last }, (_, i) => i + 1),
  );
  assert.match(JSON.stringify(stored[own - 1]), /Nats-Pin-Id: mine/);
  assert.match(JSON.stringify(stored[last - 1]), /Nats-Pin-Id: mine too/);
  assert.deepEqual(await read({}), stored);
});

test('I8 a reader that stands still holds the flow: what waits for it is bounded in bytes', async (t) => {
  await using server = await startServer({ name: 'slow-reader' });
  const nc = await dial(server);
  t.after(() => nc.close());
  await createLog(nc);
  const js = jetstream(nc);
  const jsm = await jetstreamManager(nc);
  const size = 256 * 1024;
  const count = 400;
  const data = new Uint8Array(size);
  for (let i = 0; i < count; i++) await js.publish('evt.m.y.a', data);

  const delivered = async (): Promise<number> => {
    for await (const info of jsm.consumers.list('LOG')) return info.delivered.consumer_seq;
    return 0;
  };
  let seen = 0;
  for await (const batch of readLogBatches(nc)) {
    seen += batch.length;
    if (seen !== batch.length) continue;
    // The first batch is here; what the server sends beyond it stops at the limit, however often the link is used.
    const waiting = async (): Promise<number> => ((await delivered()) - batch.length) * size;
    await waitFor('more to wait for the reader', async () => (await waiting()) >= PULL_BYTES / 2);
    for (let round = 0; round < 200; round++) await nc.flush();
    const bytes = await waiting();
    assert.ok(bytes <= 2 * PULL_BYTES, `${bytes} bytes wait`);
  }
  assert.equal(seen, count);
});
