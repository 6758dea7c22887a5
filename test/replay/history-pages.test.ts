import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { jetstream } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from 'nats';
import { history } from '../../replay/history/read-history.js';
import type { HistoryEnd, HistoryQuery } from '../../replay/history/query.js';
import { FaultError } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { createLog } from '../support/log.js';
import { startServer, type TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

const RECORDS = 1_800;

/**
 * Record i is a command of guest, its result, or an event, in turn: of alice where i is in the first hundred, else of bob;
 * the conversation of the commands is their own, that of all events is 1.
 */
const subjectOf = (i: number): string => {
  const agent = i <= 100 ? 'alice' : 'bob';
  return [`evt.shop.sold.${agent}`, `cmd.shop.sell.${agent}.guest`, `res.shop.sell.${agent}`][
    i % 3
  ] as string;
};

describe('pages of a history', () => {
  let server: TestServer;
  let nc: NatsConnection;

  const publish = async (i: number): Promise<void> => {
    const h = headers();
    if (i % 3 === 2) h.set(HEADER.id, `${i % 2 === 0 ? 'broker' : 'shop'}.1.${i}`);
    if (i % 3 === 0) h.set(HEADER.conversation, '1');
    await jetstream(nc).publish(subjectOf(i), `{"i":${i}}`, { headers: h });
  };

  interface Page {
    readonly seqs: readonly number[];
    readonly end: HistoryEnd;
    /** Messages that the server sent for it. */
    readonly came: number;
  }

  const page = async (query: HistoryQuery): Promise<Page> => {
    const before = nc.stats().inMsgs;
    const seqs: number[] = [];
    const records = history(nc, { signal: AbortSignal.timeout(20_000), ...query });
    let step = await records.next();
    for (; step.done !== true; step = await records.next()) seqs.push(step.value.seq);
    return { seqs, end: step.value, came: nc.stats().inMsgs - before };
  };

  const from = (first: number, step: number, count: number): readonly number[] =>
    Array.from({ length: count }, (_, i) => first + i * step);

  before(async () => {
    server = await startServer({ name: 'history-pages' });
    nc = await connect({ servers: server.url });
    await createLog(nc);
    await Promise.all(from(1, 1, RECORDS).map(publish));
  });
  after(async () => {
    await nc?.close();
    await server?.[Symbol.asyncDispose]();
  });

  test('a page of the first records is all that is sent, and says where the next begins', async () => {
    const { seqs, end, came } = await page({ limit: 10 });
    assert.deepEqual([seqs, end], [from(1, 1, 10), { next: 11, previous: null }]);
    assert.ok(came < 10 + 10, `${came}`);
    const second = await page({ limit: 10, from: end.next ?? 0, kind: 'evt' });
    assert.deepEqual([second.seqs, second.end.next], [from(12, 3, 10), 40]);
    assert.ok(second.came < 10 + 10, `${second.came}`);
    const last = await page({ limit: 10, from: RECORDS - 9 });
    assert.deepEqual([last.seqs.length, last.end], [10, { next: null, previous: null }]);
    assert.equal((await page({ limit: 3, from: 5, to: 7 })).end.next, null);
  });

  test('where headers decide what fits little more is sent, and a range is all that is sent of it', async () => {
    const { seqs, came } = await page({ conversation: 1, limit: 5 });
    assert.deepEqual(seqs, [1, ...from(3, 3, 4)]);
    assert.ok(came < 300, `${came}`);
    const range = await page({ from: 1_000, to: 1_020 });
    assert.deepEqual(range.seqs, from(1_000, 1, 21));
    assert.ok(range.came < 21 + 10, `${range.came}`);
  });

  test('pages go through a log forwards and backwards, each record once', async () => {
    const forwards: number[] = [];
    let next: number | null = 1;
    for (let pages = 0; next !== null && pages < 100; pages++) {
      const { seqs, end }: Page = await page({ kind: 'res', limit: 150, from: next });
      forwards.push(...seqs);
      next = end.next;
    }
    assert.deepEqual(forwards, from(2, 3, RECORDS / 3));
    const backwards: number[] = [];
    let previous: number | null = RECORDS;
    for (let pages = 0; previous !== null && pages < 100; pages++) {
      const { seqs, end }: Page = await page({ kind: 'res', last: 150, to: previous });
      backwards.unshift(...seqs);
      previous = end.previous;
    }
    assert.deepEqual(backwards, forwards);
  });

  test('the last records are found from the end, without reading what is before them', async () => {
    const { seqs, end, came } = await page({ last: 20 });
    assert.deepEqual([seqs, end], [from(RECORDS - 19, 1, 20), { next: null, previous: RECORDS - 20 }]);
    assert.ok(came < 20 + 10, `${came}`);
    const events = await page({ last: 20, kind: 'evt' });
    assert.deepEqual(events.seqs, from(RECORDS - 57, 3, 20));
    assert.ok(events.came < 300, `${events.came}`);
  });

  test('the last records of what is far back, or of the whole log, are found too', async () => {
    const alice = await page({ agent: 'alice', last: 3 });
    assert.deepEqual(alice.seqs, [98, 99, 100]);
    assert.ok(alice.came < 150, `${alice.came}`);
    assert.deepEqual((await page({ conversation: 1, last: 2 })).seqs, [RECORDS - 3, RECORDS]);
    assert.deepEqual((await page({ sender: 'broker', last: 2 })).seqs, [RECORDS - 10, RECORDS - 4]);
    assert.deepEqual((await page({ agent: 'nobody', last: 5 })).seqs, []);
    const all = await page({ last: 1_000_000, name: 'sold', agent: 'alice' });
    assert.deepEqual([all.seqs, all.end.previous], [from(3, 3, 33), null]);
    assert.deepEqual((await page({ last: 5, from: 10, to: 12 })).seqs, [10, 11, 12]);
    assert.deepEqual((await page({ last: 5, from: new Date(Date.now() + 60_000) })).seqs, []);
    assert.deepEqual((await page({ last: 5, to: new Date(0) })).seqs, []);
  });

  test('every pair of filters combines', async () => {
    const filters = {
      module: 'shop',
      agent: 'alice',
      sender: 'broker',
      kind: 'res',
      name: 'sell',
      conversation: 2,
    } as const;
    const one = {
      module: RECORDS,
      agent: 100,
      sender: RECORDS / 6,
      kind: RECORDS / 3,
      name: (RECORDS / 3) * 2,
      conversation: 1,
    };
    const keys = Object.keys(filters) as (keyof typeof filters)[];
    const sets = new Map<string, ReadonlySet<number>>();
    for (const key of keys) {
      const { seqs } = await page({ [key]: filters[key] });
      assert.equal(seqs.length, one[key], key);
      sets.set(key, new Set(seqs));
    }
    for (const a of keys)
      for (const b of keys) {
        if (a >= b) continue;
        const { seqs } = await page({ [a]: filters[a], [b]: filters[b] });
        const both = [...(sets.get(a) ?? [])].filter((seq) => sets.get(b)?.has(seq));
        assert.deepEqual(seqs, both, `${a} and ${b}`);
      }
  });

  test('a range that can hold nothing is refused, and one that happens to is empty', async () => {
    const bad: readonly HistoryQuery[] = [
      { from: 9, to: 3 },
      { from: new Date(2_000), to: new Date(1_000) },
      { limit: 3, last: 3 },
    ];
    for (const query of bad)
      await assert.rejects(
        page(query),
        (error) => error instanceof FaultError && error.fault.code === 'USAGE',
      );
    assert.deepEqual((await page({ from: RECORDS + 1 })).seqs, []);
    assert.deepEqual((await page({ from: 1_500, to: new Date(0) })).seqs, []);
    assert.equal((await page({ from: new Date(0), limit: 7 })).seqs.length, 7);
    assert.equal((await page({ to: new Date(Date.now() + 60_000) })).seqs.length, RECORDS);
  });

  test('following begins with the last records where it is told to, and ends at a time to come', async () => {
    const seen: number[] = [];
    const to = new Date(Date.now() + 1_500);
    const following = (async () => {
      for await (const { seq } of history(nc, { agent: 'carol', last: 2, follow: true, to })) seen.push(seq);
    })();
    const js = jetstream(nc);
    await js.publish('evt.shop.sold.dave', '{}');
    const { seq } = await js.publish('evt.shop.sold.carol', '{}');
    await waitFor('the first', () => seen.length === 1);
    await following;
    assert.deepEqual(seen, [seq]);
    assert.ok(Date.now() >= to.getTime());
    const last: number[] = [];
    for await (const record of history(nc, {
      last: 2,
      follow: true,
      limit: undefined,
      to: new Date(Date.now() + 300),
    }))
      last.push(record.seq);
    assert.deepEqual(last, [seq - 1, seq]);
  });
});
