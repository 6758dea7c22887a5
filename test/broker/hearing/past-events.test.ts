import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { NatsConnection } from 'nats';
import { type HeardPage, PastEvents } from '../../../broker/hearing/past-events.js';
import { FaultError } from '../../../schemas/errors.js';
import { byForm } from '../../support/form.js';
import { startServer, type TestServer } from '../../support/server.js';
import { waitFor } from '../../support/wait-for.js';
import { consumerCount, createLog, dial, fill, range } from '../../journal/read-log.js';

const RECORDS = 6_000;
/** Two of three records are events; of them every second one is heard. */
const heard = range(1, RECORDS).filter((seq) => seq % 3 !== 0 && seq % 2 === 0);
const isHeard = (subject: string): boolean => subject.endsWith('.heard');

/** One page as the log has it. */
const expected = (after: number, toSeq: number, limit: number): readonly number[] =>
  heard.filter((seq) => seq > after && seq <= toSeq).slice(0, limit);

interface Asked {
  /** From the page before, or from anywhere. */
  readonly goesOn: boolean;
  readonly from: number;
  readonly limit: number;
  readonly mostBytes: number;
  /** Asked twice at once. */
  readonly isTwice: boolean;
}

const asked: fc.Arbitrary<Asked> = fc.record({
  goesOn: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
  from: fc.nat(RECORDS + 10),
  limit: fc.constantFrom(1, 7, 256, 1_024),
  mostBytes: fc.constantFrom(1, 300, 1_048_576),
  isTwice: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
});

describe('events of the past, page by page', () => {
  let server: TestServer;
  let nc: NatsConnection;

  before(async () => {
    server = await startServer({ name: 'past-events' });
    nc = await dial(server);
    await createLog(nc);
    await fill(nc, RECORDS, (i) => {
      const seq = i + 1;
      if (seq % 3 === 0) return 'res.m.x.a';
      return seq % 2 === 0 ? 'evt.m.heard' : 'evt.m.other';
    });
  });
  after(async () => {
    await nc?.close();
    await server?.[Symbol.asyncDispose]();
  });

  const pageOf = (
    past: PastEvents,
    after: number,
    limit = 256,
    mostBytes = 1_048_576,
    toSeq = RECORDS,
  ): Promise<HeardPage> => past.page({ filters: ['evt.m.>'], after, toSeq, isHeard, limit, mostBytes });

  it('are what is asked for, whatever was asked before, and leave no consumer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(asked, { minLength: 1, maxLength: 12 }), async (pages) => {
        const past = new PastEvents(nc);
        let at = 0;
        for (const { goesOn, from, limit, mostBytes, isTwice } of pages) {
          const after = goesOn ? at : from;
          if (after >= RECORDS) continue;
          const same = await Promise.all(
            Array.from({ length: isTwice ? 2 : 1 }, () => pageOf(past, after, limit, mostBytes)),
          );
          for (const { events, upTo } of same) {
            const seqs = events.map(({ seq }) => seq);
            const all = expected(after, RECORDS, limit);
            assert.deepEqual(seqs, all.slice(0, seqs.length));
            // There are no others up to there, and a page is short only for its bytes or at the end.
            assert.deepEqual(expected(after, upTo, limit), seqs);
            if (mostBytes > 1_000 && seqs.length < limit) assert.equal(upTo, RECORDS);
            assert.ok(seqs.length > 0 || upTo === RECORDS);
            at = upTo;
          }
        }
        past.close();
      }),
      { numRuns: byForm({ short: 8, deep: 150 }) },
    );
    await waitFor('the consumers to go', async () => (await consumerCount(nc)) === 0);
  });

  it('are read by one consumer as long as somebody goes on, and by none soon after', async () => {
    const past = new PastEvents(nc);
    let at = 0;
    while (at < RECORDS / 2) {
      at = (await pageOf(past, at, 50)).upTo;
      assert.ok((await consumerCount(nc)) <= 1);
    }
    await waitFor('the consumer to go', async () => (await consumerCount(nc)) === 0);
    assert.deepEqual(
      (await pageOf(past, at, 10)).events.map(({ seq }) => seq),
      expected(at, RECORDS, 10),
    );
    past.close();
  });

  it('end with a fault, and with no page that is short, when they are closed meanwhile', async () => {
    const past = new PastEvents(nc);
    const page = pageOf(past, 0, 1_024);
    past.close();
    await assert.rejects(
      page,
      (thrown) => thrown instanceof FaultError && thrown.fault.code === 'LOG_UNAVAILABLE',
    );
    await waitFor('the consumer to go', async () => (await consumerCount(nc)) === 0);
  });

  it('are given to more listeners than may keep a stretch open', async () => {
    const all = Array.from({ length: 24 }, () => new PastEvents(nc));
    for (const after of [0, 100, 200]) {
      const pages = await Promise.all(all.map((past) => pageOf(past, after, 20)));
      for (const { events } of pages)
        assert.deepEqual(
          events.map(({ seq }) => seq),
          expected(after, RECORDS, 20),
        );
      assert.ok((await consumerCount(nc)) <= 24);
    }
    for (const past of all) past.close();
    await waitFor('the consumers to go', async () => (await consumerCount(nc)) === 0);
  });
});
