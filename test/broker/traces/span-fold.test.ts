import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { StoredMessage } from '../../../schemas/record.js';
import { isSampled } from '../../../schemas/trace-sampler.js';
import { SpanFold } from '../../../traces/span-fold.js';
import { otlpJson } from '../../../traces/otlp-json.js';
import type { TraceSpan } from '../../../traces/trace-span.js';
import { byForm } from '../../support/form.js';

const ALL = { followsSender: true, share: 1 };

interface Odd {
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const messageOf = ({ subject, headers, body }: Odd, i: number): StoredMessage => ({
  seq: i + 1,
  time: '2026-01-01T00:00:00Z',
  timeMs: Date.UTC(2026, 0, 1) + i,
  subject,
  header: (name) => headers[name],
  data: Buffer.from(body),
});

/** The spans of a log of these records. */
const spansOf = async (records: readonly Odd[], share = ALL): Promise<readonly TraceSpan[]> => {
  const messages = records.map(messageOf);
  const fold = new SpanFold({ logId: 'log', sampler: share, recordAt: async (seq) => messages[seq - 1] });
  const spans: TraceSpan[] = [];
  for (const message of messages) {
    const span = await fold.add(message);
    if (span !== undefined) spans.push(span);
  }
  return spans;
};

const part = fc.constantFrom('a', 'b', 'a$', 'é', '__events', '__waits', 'x'.repeat(70));
const kind = fc.constantFrom('cmd', 'cmd', 'res', 'res', 'step', 'wake', 'evt', 'epoch', 'odd');
const sequence = fc.oneof(fc.integer({ min: -1, max: 14 }).map(String), fc.string({ maxLength: 3 }));
const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const headers = fc.record(
  {
    'Tally-Cause': sequence,
    'Tally-Conversation': sequence,
    'Tally-Call': sequence,
    'Tally-Redrives': sequence,
    'Tally-Dead': sequence,
    'Tally-Event': fc.constantFrom('1 0 0', '9 0 0', 'x'),
    'Tally-Id': fc.constantFrom('a__events.1.1', '__events~a.1.1', 'x'),
    traceparent: fc.constantFrom(PARENT, 'odd', `${PARENT}-more`),
    tracestate: fc.string(),
  },
  { requiredKeys: [] },
);
const body = fc.oneof(
  fc.constantFrom(
    '{"status":"ok","data":1}',
    '{"status":"waiting","name":"sleep"}',
    '{"status":"failed","error":{"code":"BROKE","message":"secret"}}',
    '{"status":"rejected","error":7}',
    '{"name":["x"],"status":"ok","attempts":-1}',
    'null',
    '',
  ),
  fc.json(),
);
const record = fc.record({
  subject: fc
    .tuple(kind, fc.array(part, { minLength: 1, maxLength: 4 }))
    .map(([a, b]) => [a, ...b].join('.')),
  headers,
  body,
});

describe('the fold of a log into spans', () => {
  test('takes any records: each span has ids, a time that does not run back, and no parent in a circle', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 14 }), async (records) => {
        const spans = await spansOf(records);
        const parents = new Map(spans.map(({ spanId, parentSpanId }) => [spanId, parentSpanId]));
        for (const span of spans) {
          assert.match(span.traceId, /^(?!0+$)[\da-f]{32}$/);
          assert.ok(span.endNanos >= span.startNanos);
          let [at, steps]: [string | undefined, number] = [span.spanId, 0];
          while (at !== undefined && steps <= spans.length) [at, steps] = [parents.get(at), steps + 1];
          assert.equal(at, undefined);
        }
        assert.ok(!otlpJson(spans, { service: undefined, resource: {} }, '1').includes('secret'));
        assert.deepEqual(await spansOf(records), spans);
      }),
      { numRuns: byForm({ short: 100, deep: 20_000 }) },
    );
  });

  test('a redriven command is below the one before, and all that follows is in its trace', async () => {
    const spans = await spansOf([
      { subject: 'cmd.a.b.c.guest', headers: { traceparent: PARENT }, body: '{}' },
      {
        subject: 'res.a.b.c',
        headers: { 'Tally-Cause': '1' },
        body: '{"status":"failed","error":{"code":"X"}}',
      },
      {
        subject: 'cmd.a.b.c.operator',
        headers: { 'Tally-Redrives': '1', 'Tally-Conversation': '1' },
        body: '{}',
      },
      {
        subject: 'res.a.b.c',
        headers: { 'Tally-Cause': '3', 'Tally-Conversation': '1' },
        body: '{"status":"ok","data":1}',
      },
    ]);
    assert.deepEqual(
      spans.map(({ error }) => error),
      ['X', undefined],
    );
    assert.equal(spans[1]?.parentSpanId, spans[0]?.spanId);
    assert.equal(spans[1]?.traceId, spans[0]?.traceId);
    assert.equal(spans[1]?.attributes['tallystick.redrives'], 1);
  });

  test('a sampler keeps a share of the traces, each of them whole', () => {
    const ids = Array.from({ length: 1_000 }, (_, i) =>
      (BigInt(i) * 0x9e3779b97f4a7c15n).toString(16).padStart(32, '0').slice(-32),
    );
    const kept = ids.filter((id) => isSampled({ followsSender: true, share: 0.25 }, id, undefined));
    assert.ok(kept.length > 150 && kept.length < 350, `${kept.length}`);
    for (const id of kept) assert.ok(isSampled({ followsSender: true, share: 0.5 }, id, undefined));
    assert.equal(isSampled({ followsSender: true, share: 0 }, ids[1] ?? '', true), true);
    assert.equal(isSampled({ followsSender: false, share: 0 }, ids[1] ?? '', true), false);
  });
});
