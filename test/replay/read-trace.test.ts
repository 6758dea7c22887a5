import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { jetstream } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from 'nats';
import { type ReadTrace, readTrace, type TraceQuery } from '../../replay/trace/read-trace.js';
import { FaultError } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { createLog } from '../support/log.js';
import { startServer, type TestServer } from '../support/server.js';

interface Written {
  readonly subject: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly data?: unknown;
}

const { cause, conversation, part, dead, redrives, id } = HEADER;
const OK = { status: 'ok', data: {} };
const other = (n: number): readonly Written[] =>
  Array.from({ length: n }, () => ({ subject: 'cmd.shop.look.x.guest' }));

/** Record i of this list has sequence i + 1. */
const LOG: readonly Written[] = [
  { subject: 'epoch.shop' },
  // 2 to 8: sells, waits for another conversation's command at its agent, and sends a command.
  { subject: 'cmd.shop.look.a.guest' },
  { subject: 'cmd.shop.sell.a.guest' },
  { subject: 'res.shop.look.a', headers: { [cause]: '2', [conversation]: '2' }, data: OK },
  {
    subject: 'res.shop.sell.a',
    headers: { [cause]: '3', [conversation]: '3' },
    data: { ...OK, out: [{ subject: 'cmd.bank.pay.b', id: '3/1', data: {} }] },
  },
  ...other(3),
  { subject: 'cmd.bank.pay.b.shop', headers: { [cause]: '3', [conversation]: '3', [part]: '1/1' } },
  { subject: 'res.bank.pay.b', headers: { [cause]: '9', [conversation]: '3' }, data: OK },
  // 11: nobody answers.
  { subject: 'cmd.shop.sell.c.guest' },
  // 12 to 15: a dead letter, redriven much later.
  { subject: 'cmd.shop.sell.d.guest' },
  {
    subject: 'res.shop.sell.d',
    headers: { [cause]: '12', [conversation]: '12', [dead]: '2' },
    data: { status: 'failed', error: { code: 'HANDLER_THREW', message: 'no', retryable: false } },
  },
  ...other(1_500),
  {
    subject: 'cmd.shop.sell.d.guest',
    headers: { [redrives]: '12', [conversation]: '12', [id]: 'gateway.1.1' },
  },
  { subject: 'res.shop.sell.d', headers: { [cause]: '1514', [conversation]: '12' }, data: OK },
  // 1516: says itself that it belongs to 3; 1517: to one that is not there yet.
  { subject: 'cmd.shop.look.y.guest', headers: { [conversation]: '3' } },
  { subject: 'cmd.shop.look.z.guest', headers: { [conversation]: '99999' } },
  ...other(10),
];

describe('a trace read from a log', () => {
  let server: TestServer;
  let nc: NatsConnection;

  before(async () => {
    server = await startServer({ name: 'read-trace' });
    nc = await connect({ servers: server.url });
    await createLog(nc);
    const js = jetstream(nc);
    await Promise.all(
      LOG.map(({ subject, headers: given = {}, data = {} }) => {
        const h = headers();
        for (const [name, value] of Object.entries(given)) h.set(name, value);
        return js.publish(subject, JSON.stringify(data), { headers: h });
      }),
    );
  });
  after(async () => {
    await nc?.close();
    await server?.[Symbol.asyncDispose]();
  });

  const read = (seq: number, query: Partial<TraceQuery> = {}): Promise<ReadTrace> =>
    readTrace(nc, { seq, signal: AbortSignal.timeout(20_000), ...query });
  const seqsOf = ({ nodes }: ReadTrace): readonly number[] =>
    nodes.flatMap(({ record, handling }) => [
      record.seq,
      ...(handling?.result == null ? [] : [handling.result.seq]),
    ]);

  test('begins anywhere in a conversation and stops where it ends, without reading on', async () => {
    for (const seq of [3, 5, 9, 10]) {
      const before = nc.stats().inMsgs;
      const trace = await read(seq);
      assert.deepEqual(seqsOf(trace), [3, 5, 9, 10]);
      assert.deepEqual(trace.read, { fromSeq: 3, toSeq: 10, logEnd: LOG.length, ended: true });
      const came = nc.stats().inMsgs - before;
      assert.ok(came < 300, `${came}`);
    }
  });

  test('has times to the microsecond, which do not differ from those of the records', async () => {
    const { nodes } = await read(12);
    const times = nodes.flatMap(({ record, handling }) => [
      record,
      ...(handling?.result ? [handling.result] : []),
    ]);
    assert.ok(times.every(({ time, timeMs }) => Math.floor(timeMs) === Date.parse(time)));
    assert.ok(times.some(({ timeMs }) => timeMs % 1 !== 0));
  });

  test('I5 what other conversations had an agent do counts as waiting', async () => {
    const [first] = (await read(3)).nodes;
    assert.equal(first?.handling?.waitedFor, 1);
  });

  test('of one that is open reads to the end of the log and says so', async () => {
    const trace = await read(11);
    assert.deepEqual([seqsOf(trace), trace.outcomes], [[11], { open: 1 }]);
    assert.deepEqual(trace.read, { fromSeq: 11, toSeq: LOG.length, logEnd: LOG.length, ended: false });
  });

  test('of one with a dead letter finds what redrove it, however late', async () => {
    const trace = await read(12);
    assert.deepEqual(seqsOf(trace), [12, 13, 1_514, 1_515]);
    assert.deepEqual(
      trace.roots[0]?.children.map(({ role }) => role),
      ['redrive'],
    );
    assert.equal(trace.read.ended, true);
  });

  test('finds what joined it later when all is asked for, or when that itself is', async () => {
    assert.deepEqual(seqsOf(await read(3, { all: true })), [3, 5, 9, 10, 1_516]);
    const joined = await read(1_516);
    assert.deepEqual([joined.conversation, seqsOf(joined)], [3, [3, 5, 9, 10, 1_516]]);
    assert.equal(joined.nodes.at(-1)?.role, 'joined');
  });

  test('of a conversation whose first record is not there has what names it', async () => {
    const trace = await read(1_517);
    assert.deepEqual([trace.conversation, seqsOf(trace), trace.read.ended], [99_999, [1_517], false]);
  });

  test('of what is no record of a conversation is a typed error', async () => {
    for (const seq of [1, LOG.length + 1])
      await assert.rejects(
        read(seq),
        (error) => error instanceof FaultError && error.fault.code === 'CONVERSATION_UNKNOWN',
      );
  });
});
