import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import { readMerged } from '../../journal/read/read-merged.js';
import { recordsAt } from '../../journal/read/records-at.js';
import { FaultError } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage } from '../../schemas/record.js';
import { failure, success } from '../support/either.js';
import { startServer, type TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';
import { consumerCount, createLog, dial, fill, range, read, sequences } from './read-log.js';

describe('reading a log that stands still', () => {
  let server: TestServer;
  let nc: NatsConnection;

  before(async () => {
    server = await startServer({ name: 'reader' });
    nc = await dial(server);
    await createLog(nc);
    // 10,000 records: a result, an event and a command in turn, of agents a0 to a9.
    await fill(nc, 10_000, (i) => {
      const agent = `a${i % 10}`;
      return [`res.m.x.${agent}`, `evt.m.y.${agent}`, `cmd.m.x.${agent}.guest`][i % 3] ?? '';
    });
  });
  after(async () => {
    await nc?.close();
    await server?.[Symbol.asyncDispose]();
  });

  test('every record comes once, in order, with subject, payload and time', async () => {
    const all = await read(nc);
    assert.deepEqual(sequences(all), range(1, 10_000));
    const third = all[2] as StoredMessage;
    assert.equal(third.subject, 'cmd.m.x.a2.guest');
    assert.deepEqual(JSON.parse(new TextDecoder().decode(third.data)), { i: 2 });
    assert.match(third.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(Math.abs(Date.parse(third.time) - Date.now()) < 60_000);
    assert.equal(third.header(HEADER.id), undefined);
  });

  test('filters give what matches and end behind it, though other records follow', async () => {
    const one = await read(nc, { filters: ['res.m.x.a3'] });
    assert.deepEqual(
      sequences(one),
      range(1, 10_000).filter((seq) => (seq - 1) % 3 === 0 && (seq - 1) % 10 === 3),
    );
    const two = await read(nc, { filters: ['res.m.*.a3', 'evt.m.*.a3'] });
    assert.deepEqual(
      sequences(two),
      range(1, 10_000).filter((seq) => (seq - 1) % 3 !== 2 && (seq - 1) % 10 === 3),
    );
  });

  test('a reader for each filter gives the same, in order', async () => {
    const all: StoredMessage[] = [];
    const parts = ['res.m.>', 'evt.m.>', 'cmd.nobody.>', 'cmd.m.x.a4.*'].map((filter) => ({ filter }));
    for await (const batch of readMerged(nc, parts, { fromSeq: 17, toSeq: 9_000 })) all.push(...batch);
    assert.deepEqual(
      sequences(all),
      range(17, 9_000).filter((seq) => (seq - 1) % 3 !== 2 || (seq - 1) % 10 === 4),
    );
    const some = readMerged(nc, parts);
    await some.next();
    await some.return();
    await waitFor('its consumers to go', async () => (await consumerCount(nc)) === 0);
  });

  test('a part that begins later is opened when the others are there, and gives its own range', async () => {
    const parts = [
      { filter: 'evt.m.>', fromSeq: 8_001, toSeq: 8_100 },
      { filter: 'res.m.>' },
      { filter: 'evt.m.>', fromSeq: 9_001 },
      { filter: 'evt.m.>', fromSeq: 3_000, toSeq: 2_999 },
    ];
    const all: StoredMessage[] = [];
    for await (const batch of readMerged(nc, parts, { toSeq: 9_500, firstPull: 500 })) {
      if (all.length === 0) assert.equal(await consumerCount(nc), 1);
      all.push(...batch);
    }
    const inPart = (seq: number): boolean => (seq > 8_000 && seq <= 8_100) || seq > 9_000;
    assert.deepEqual(
      sequences(all),
      range(1, 9_500).filter((seq) => (seq - 1) % 3 === 0 || ((seq - 1) % 3 === 1 && inPart(seq))),
    );
    assert.equal(await consumerCount(nc), 0);
  });

  test('records are had by their sequences, in the order in which they are asked for', async () => {
    const log = { nc, prefix: '$JS.API' };
    const asked = [9_999, 17, 3, ...range(1_000, 3_000)];
    const records = success(await recordsAt(log, asked)());
    assert.deepEqual(sequences(records), asked);
    const [third] = await read(nc, { fromSeq: 3, toSeq: 3 });
    const { subject, time, timeMs, data } = records[2] as StoredMessage;
    assert.deepEqual(
      [subject, time, timeMs, Buffer.from(data).toString()],
      [third?.subject, third?.time, third?.timeMs, Buffer.from(third?.data ?? []).toString()],
    );
    assert.deepEqual(success(await recordsAt(log, [])()), []);
    const { code, message } = failure(await recordsAt(log, [5, 10_001])());
    assert.deepEqual([code, message], ['LOG_MISMATCH', 'the log has no record 10001, which it had']);
  });

  test('one agent is its commands, results and events, whether or not the names of actions are known', async () => {
    const names = { actions: ['x', 'never'], events: ['y'] };
    const its = range(1, 10_000).filter((seq) => (seq - 1) % 10 === 3);
    assert.deepEqual(sequences(await read(nc, { agent: { module: 'm', agent: 'a3' } })), its);
    assert.deepEqual(sequences(await read(nc, { agent: { module: 'm', agent: 'a3', names } })), its);
    assert.deepEqual(await read(nc, { agent: { module: 'm', agent: 'nobody', names } }), []);
    const none = { actions: [], events: [] };
    assert.deepEqual(await read(nc, { agent: { module: 'm', agent: 'a3', names: none }, follow: true }), []);
    await assert.rejects(
      read(nc, { agent: { module: 'm', agent: '*' } }),
      (error) => error instanceof FaultError && error.fault.code === 'NAME_INVALID',
    );
  });

  test('nothing that matches is an end and no wait', async () => {
    assert.deepEqual(await read(nc, { filters: ['res.nobody.>'] }), []);
    assert.deepEqual(await read(nc, { filters: ['res.nobody.>', 'evt.nobody.>'], fromSeq: 500 }), []);
  });

  test('from and to are both included, and an end beyond the log is the end of the log', async () => {
    assert.deepEqual(sequences(await read(nc, { fromSeq: 17, toSeq: 23 })), range(17, 23));
    assert.deepEqual(sequences(await read(nc, { fromSeq: 9_998, toSeq: 99_999 })), range(9_998, 10_000));
    assert.deepEqual(sequences(await read(nc, { filters: ['res.>'], fromSeq: 2, toSeq: 6 })), [4]);
    assert.deepEqual(await read(nc, { filters: ['res.m.x.a3'], fromSeq: 5, toSeq: 9 }), []);
    assert.deepEqual(await read(nc, { fromSeq: 10_001 }), []);
    assert.deepEqual(await read(nc, { fromSeq: 50, toSeq: 40 }), []);
  });

  test('a time to begin at is a place in the log', async () => {
    assert.deepEqual(await read(nc, { fromTime: new Date(Date.now() + 3_600_000) }), []);
    assert.equal((await read(nc, { fromTime: new Date(Date.now() - 3_600_000) })).length, 10_000);
    const middle = (await read(nc, { fromSeq: 5_000, toSeq: 5_000 }))[0] as StoredMessage;
    const rest = await read(nc, { fromTime: new Date(middle.time) });
    assert.ok((rest[0]?.time ?? '') >= middle.time);
    assert.equal(rest.at(-1)?.seq, 10_000);
    assert.deepEqual(sequences(rest), range(10_000 - rest.length + 1, 10_000));
  });

  test('headers without payloads', async () => {
    const [first] = await read(nc, { headersOnly: true, toSeq: 1 });
    assert.equal(first?.data.length, 0);
    assert.equal((await read(nc, { headersOnly: true })).length, 10_000);
  });

  test('a reader that stops early, slowly or not at all leaves no consumer behind', async () => {
    for await (const { seq } of readLog(nc)) if (seq === 3) break;
    await read(nc);
    const slow: number[] = [];
    for await (const { seq } of readLog(nc, { toSeq: 6_000 })) {
      slow.push(seq);
      if (seq % 500 === 0) await nc.flush();
    }
    assert.deepEqual(slow, range(1, 6_000));
    await waitFor('no consumers', async () => (await consumerCount(nc)) === 0);
  });

  test('aborting ends a reader that waits', async () => {
    const abort = new AbortController();
    const seen: number[] = [];
    for await (const { seq } of readLog(nc, { follow: true, fromSeq: 9_999, signal: abort.signal })) {
      seen.push(seq);
      if (seq === 10_000) setImmediate(() => abort.abort());
    }
    assert.deepEqual(seen, [9_999, 10_000]);
  });

  test('a consumer deleted under its reader costs no record', async () => {
    const jsm = await jetstreamManager(nc);
    const seen: number[] = [];
    for await (const { seq } of readLog(nc)) {
      seen.push(seq);
      if (seq !== 2_000) continue;
      for await (const { name } of jsm.consumers.list('LOG')) await jsm.consumers.delete('LOG', name);
    }
    assert.deepEqual(seen, range(1, 10_000));
  });

  test('a server without a log is an error at once', async () => {
    await using other = await startServer({ name: 'no-log' });
    const there = await dial(other);
    await assert.rejects(
      read(there),
      (error) => error instanceof FaultError && error.fault.code === 'LOG_UNAVAILABLE',
    );
    await createLog(there);
    assert.deepEqual(await read(there), []);
    await there.close();
  });

  test('a connection that may not read is told so at once', async () => {
    const config = 'authorization { users: [{ user: "a", password: "a", permissions: { publish: "x" } }] }';
    await using other = await startServer({ name: 'no-right', config });
    const there = await connect({ servers: other.url, user: 'a', pass: 'a' });
    await assert.rejects(
      read(there),
      (error) => error instanceof FaultError && error.fault.code === 'SERVER_REFUSED',
    );
    await there.close();
  });
});

describe('reading a log that grows', () => {
  let server: TestServer;
  let nc: NatsConnection;
  before(async () => {
    server = await startServer({ name: 'follow' });
    nc = await dial(server);
    await createLog(nc);
  });
  after(async () => {
    await nc?.close();
    await server?.[Symbol.asyncDispose]();
  });

  test('following sees later records, and ends at toSeq', async () => {
    const followed = read(nc, { follow: true, toSeq: 300, filters: ['res.>'] });
    await fill(nc, 299, (i) => (i % 2 === 0 ? 'res.m.x.a' : 'evt.m.y.a'));
    // The record at toSeq does not match: the end must be noticed all the same.
    await fill(nc, 1, () => 'evt.m.y.a');
    assert.deepEqual(
      sequences(await followed),
      range(1, 300).filter((seq) => seq % 2 === 1),
    );
  });

  test('what is stored while a bounded read runs is not part of it', async () => {
    const seen: number[] = [];
    for await (const { seq } of readLog(nc)) {
      seen.push(seq);
      if (seq === 1) await fill(nc, 50, () => 'evt.m.y.b');
    }
    assert.deepEqual(seen, range(1, 300));
  });

  test('records of every size come through, up to a megabyte', async () => {
    const js = jetstream(nc);
    const first = (await js.publish('evt.big.y.a', new Uint8Array(1_000_000))).seq;
    // Sizes that use the bytes of a pull up exactly: 8 MiB in steps of 64 KiB with subject and reply beside.
    for (let i = 0; i < 200; i++) await js.publish('evt.big.y.a', new Uint8Array(65_536 - 64 + (i % 64)));
    const sizes = (await read(nc, { filters: ['evt.big.>'] })).map(({ seq, data }) => [seq, data.length]);
    assert.deepEqual(sizes[0], [first, 1_000_000]);
    assert.equal(sizes.length, 201);
  });
});
