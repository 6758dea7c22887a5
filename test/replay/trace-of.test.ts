import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ConversationEnd } from '../../replay/trace/conversation-end.js';
import { findingsOf } from '../../replay/trace/trace-findings.js';
import { traceJson } from '../../replay/trace/trace-json.js';
import { timesOf } from '../../replay/trace/times.js';
import type { Trace, TraceNode } from '../../replay/trace/conversation-trace.js';
import { traceOf } from '../../replay/trace/trace-of.js';
import type { TraceRecord } from '../../replay/trace/trace-record.js';
import { type WalkOptions, walk } from '../../replay/trace/walk.js';
import { anyRecords, chain, fan, ORDER, ok, record, refused } from './trace-records.js';

const seqsOf = (trace: Trace, options: WalkOptions = {}): { seqs: number[]; more: number } => {
  const seqs: number[] = [];
  let more = 0;
  for (const step of walk(trace.roots, options)) {
    if (step.kind === 'more') more += step.records;
    if (step.kind !== 'node') continue;
    const { handling } = step.node;
    seqs.push(step.node.record.seq, ...(handling?.result == null ? [] : [handling.result.seq]));
  }
  return { seqs, more };
};

const nodeAt = ({ nodes }: Trace, seq: number): TraceNode => {
  const node = nodes.find((each) => each.record.seq === seq);
  assert.ok(node, `no node ${seq}`);
  return node;
};

describe('a trace', () => {
  test('is a tree by cause: calls and copies below the command whose handling made them', () => {
    const trace = traceOf(ORDER);
    const below = (seq: number): readonly (readonly [number, string])[] =>
      nodeAt(trace, seq).children.map(({ record: { seq: child }, role }) => [child, role]);
    assert.deepEqual(
      trace.roots.map(({ record: { seq }, role }) => [seq, role]),
      [[1, 'first']],
    );
    assert.deepEqual(below(1), [
      [2, 'call'],
      [5, 'call'],
      [8, 'copy'],
      [9, 'copy'],
    ]);
    assert.deepEqual(below(2), [[4, 'copy']]);
    assert.deepEqual(trace.outcomes, { ok: 3, rejected: 1 });
    assert.deepEqual(nodeAt(trace, 5).handling?.error, { code: 'POOR', message: 'too little' });
    assert.deepEqual([trace.records, trace.commands, trace.spanMs], [10, 4, 40]);
  });

  test('says where the time went: waiting, calls, the rest, and storing copies', () => {
    const trace = traceOf(ORDER);
    const { tookMs, waitedMs, callsMs, ownMs, copiesMs, callSpans } =
      nodeAt(trace, 1).handling ?? assert.fail();
    assert.deepEqual([tookMs, waitedMs, callsMs, ownMs, copiesMs], [30, 0, 10, 20, 3]);
    assert.deepEqual(callSpans, [
      [10, 14],
      [20, 26],
    ]);
    assert.deepEqual(
      timesOf(trace).map(({ action, ownMs: own }) => [action, own]),
      [
        ['shop.place', 20],
        ['shop.unreserve', 7],
        ['bank.pay', 6],
        ['shop.reserve', 4],
      ],
    );
  });

  test('I5 a command has waited until its agent had answered what came before', () => {
    const trace = traceOf([
      record({ seq: 1, at: 0, kind: 'cmd' }),
      record({ seq: 2, at: 1, kind: 'cmd' }),
      record({ seq: 3, at: 2, kind: 'cmd' }),
      record({ seq: 4, at: 10, kind: 'res', cause: 1, data: ok() }),
      record({ seq: 5, at: 14, kind: 'res', cause: 2, data: ok() }),
      record({ seq: 6, at: 15, kind: 'res', cause: 3, data: ok() }),
    ]);
    const waited = [1, 2, 3].map((seq) => {
      const { waitedMs, waitedFor, ownMs } = nodeAt(trace, seq).handling ?? assert.fail();
      return [waitedMs, waitedFor, ownMs];
    });
    assert.deepEqual(waited, [
      [0, 0, 10],
      [9, 1, 4],
      [12, 2, 1],
    ]);
  });

  test('calls side by side count once in what their handler waited', () => {
    const trace = traceOf([
      record({ seq: 1, at: 0, kind: 'cmd' }),
      record({ seq: 2, at: 2, kind: 'cmd', agent: 'b', sender: 'shop', cause: 1, call: 1 }),
      record({ seq: 3, at: 3, kind: 'cmd', agent: 'c', sender: 'shop', cause: 1, call: 2 }),
      record({ seq: 4, at: 8, kind: 'res', agent: 'b', cause: 2, data: ok() }),
      record({ seq: 5, at: 9, kind: 'res', agent: 'c', cause: 3, data: ok() }),
      record({ seq: 6, at: 10, kind: 'res', cause: 1, data: ok() }),
    ]);
    assert.equal(nodeAt(trace, 1).handling?.callsMs, 7);
  });

  test('names what is not ok, how it came there, and what is missing', () => {
    const trace = traceOf([
      ...ORDER.slice(0, 8),
      record({ seq: 20, kind: 'cmd', name: 'later', sender: 'guest' }),
      record({ seq: 21, kind: 'res', name: 'place', agent: 'order-1', cause: 1, data: ok() }),
      record({ seq: 22, kind: 'cmd', name: 'x', cause: 999 }),
    ]);
    const findings = findingsOf(trace).map(({ seq, path, said }) => [seq, path, said]);
    assert.deepEqual(findings, [
      [1, [], 'its result carries cmd.shop.unreserve.lamp, which is not there'],
      [5, [1], 'rejected POOR: too little'],
      [20, [], 'open'],
      [21, [1], 'a second result'],
      [22, [], 'open'],
      [22, [], 'names as its cause 999, which is no command before it in this conversation'],
    ]);
    assert.equal(nodeAt(trace, 20).role, 'joined');
  });

  test('what redrives a dead letter stands below it', () => {
    const trace = traceOf([
      record({ seq: 1, kind: 'cmd' }),
      record({ seq: 2, kind: 'res', cause: 1, dead: 3, data: refused('failed', 'HANDLER_THREW', 'no') }),
      record({ seq: 9, kind: 'cmd', redrives: 1 }),
      record({ seq: 10, kind: 'res', cause: 9, data: ok() }),
    ]);
    assert.deepEqual(
      nodeAt(trace, 1).children.map(({ role }) => role),
      ['redrive'],
    );
    assert.equal(findingsOf(trace)[0]?.said, 'failed HANDLER_THREW: no (dead letter after 3 tries)');
  });

  test('a header that anyone can write makes no call and no copy', () => {
    const trace = traceOf([
      record({ seq: 1, kind: 'cmd' }),
      record({ seq: 2, kind: 'cmd', sender: 'guest', cause: 1, call: 1 }),
      record({ seq: 3, kind: 'evt', module: 'other', sender: 'other', cause: 1, part: { i: 1, n: 1 } }),
    ]);
    assert.deepEqual(
      nodeAt(trace, 1).children.map(({ role }) => role),
      ['caused', 'caused'],
    );
  });

  test('has every record of any log exactly once, above nothing that came before it', () => {
    fc.assert(
      fc.property(anyRecords(), (records) => {
        const trace = traceOf(records);
        assert.deepEqual(
          seqsOf(trace).seqs.toSorted((a, b) => a - b),
          records.map(({ seq }) => seq),
        );
        assert.equal(
          trace.roots.reduce((sum, { size }) => sum + size, 0),
          records.length,
        );
        for (const node of trace.nodes)
          for (const child of node.children) assert.ok(child.record.seq > node.record.seq);
        for (const { handling } of trace.nodes) {
          if (handling === null) continue;
          const { waitedMs, callsMs, ownMs, copiesMs } = handling;
          for (const ms of [waitedMs, callsMs, ownMs ?? 0, copiesMs]) assert.ok(ms >= 0, `${ms}`);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('shows or counts every record, whatever the depth and the limit', () => {
    const options = fc.record({
      depth: fc.integer({ min: 1, max: 5 }),
      limit: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(anyRecords(), options, (records, shown) => {
        const { seqs, more } = seqsOf(traceOf(records), shown);
        assert.equal(seqs.length + more, records.length);
        assert.equal(new Set(seqs).size, seqs.length);
        assert.ok(seqs.length <= shown.limit + 1);
      }),
      { numRuns: 300 },
    );
  });

  test('as JSON is one object whose tree has every record once', () => {
    interface Json {
      readonly seq: number;
      readonly result?: number | null;
      readonly children: readonly Json[];
    }
    const seqsIn = (tree: readonly Json[]): number[] =>
      tree.flatMap(({ seq, result, children }) => [
        seq,
        ...(result == null ? [] : [result]),
        ...seqsIn(children),
      ]);
    fc.assert(
      fc.property(anyRecords(30), (records) => {
        const { tree } = JSON.parse(traceJson(traceOf(records))) as { tree: readonly Json[] };
        assert.deepEqual(
          seqsIn(tree).toSorted((a, b) => a - b),
          records.map(({ seq }) => seq),
        );
      }),
      { numRuns: 100 },
    );
    const cut = JSON.parse(traceJson(traceOf(ORDER), { depth: 1 })) as { tree: [{ children: unknown }] };
    assert.deepEqual(cut.tree[0].children, [{ more: 8 }]);
  });
});

describe('the end of a conversation', () => {
  const endsAt = (records: readonly TraceRecord[]): readonly number[] => {
    const end = new ConversationEnd(1);
    return records.flatMap((each) => {
      end.add(each);
      return end.isReached ? [each.seq] : [];
    });
  };

  test('is where nothing is open and every copy that a result promised is there', () => {
    assert.deepEqual(endsAt(ORDER), [10]);
    assert.deepEqual(endsAt(chain(50)), [100]);
    assert.deepEqual(endsAt(fan(50)), [102]);
  });

  test('is not reached without the first record, a result, or one of the copies', () => {
    assert.deepEqual(endsAt(ORDER.slice(1)), []);
    for (const left of [3, 7, 8, 10])
      assert.deepEqual(endsAt(ORDER.filter(({ seq }) => seq !== left)), [], `${left}`);
  });

  test('takes any log, and copies that come before their result', () => {
    fc.assert(
      fc.property(anyRecords(), (records) => void endsAt(records)),
      { numRuns: 100 },
    );
    const swapped = ORDER.map((each) => (each.seq === 3 ? ORDER[3] : each.seq === 4 ? ORDER[2] : each));
    assert.deepEqual(endsAt(swapped as readonly TraceRecord[]), [10]);
  });
});
