import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { alignedLines } from '../../replay/history/aligned-lines.js';
import { lineFormatter } from '../../replay/history/format-line.js';
import { Payload } from '../../schemas/payload.js';
import type { HistoryRecord } from '../../schemas/record.js';

const record = (seq: number, agent: string, payload = '{}'): HistoryRecord => ({
  seq,
  time: '2026-01-02T03:04:05.678Z',
  kind: 'cmd',
  subject: `cmd.accounts.deposit.${agent}.guest`,
  subjectBase64: null,
  module: 'accounts',
  name: 'deposit',
  agent,
  sender: 'guest',
  id: null,
  cause: null,
  conversation: seq,
  payload: new Payload(Buffer.from(payload)),
});

async function* source(
  records: readonly HistoryRecord[],
  failsAt = Number.POSITIVE_INFINITY,
): AsyncGenerator<HistoryRecord, string> {
  for (const [i, each] of records.entries()) {
    if (i === failsAt) throw new Error('the log is gone');
    yield each;
  }
  return 'the end';
}

const agents = fc.array(fc.stringMatching(/^[a-z]{1,39}$/), { maxLength: 300 });

test('each record is one line, in order; the first 100 have the columns at the same places', async () => {
  await fc.assert(
    fc.asyncProperty(agents, async (names) => {
      const lines = alignedLines(source(names.map((name, i) => record(i + 1, name))), lineFormatter());
      const got: string[] = [];
      let step = await lines.next();
      for (; step.done !== true; step = await lines.next()) got.push(step.value);
      assert.equal(step.value, 'the end');
      assert.deepEqual(
        got.map((line) => line.trim().split(/ +/)[4]),
        names,
      );
      assert.ok(new Set(got.slice(0, 100).map((line) => line.indexOf(' guest'))).size <= 1);
    }),
  );
});

test('what was read is printed before an error, wherever reading fails', async () => {
  const records = Array.from({ length: 150 }, (_, i) => record(i + 1, 'ada'));
  await fc.assert(
    fc.asyncProperty(fc.nat(149), async (failsAt) => {
      const got: string[] = [];
      await assert.rejects(async () => {
        for await (const line of alignedLines(source(records, failsAt), lineFormatter())) got.push(line);
      }, /the log is gone/);
      assert.equal(got.length, failsAt);
    }),
  );
});

test('few large records are enough to begin', async () => {
  let read = 0;
  async function* large(): AsyncGenerator<HistoryRecord, void> {
    for (; read < 50; read++) yield record(read + 1, 'ada', JSON.stringify('x'.repeat(400_000)));
  }
  const lines = alignedLines(large(), lineFormatter());
  await lines.next();
  assert.ok(read < 4, `${read}`);
});
