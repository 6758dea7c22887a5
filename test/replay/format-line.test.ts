import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineFormatter } from '../../replay/history/format-line.js';
import { Payload } from '../../schemas/payload.js';
import type { HistoryRecord } from '../../schemas/record.js';

const record = ({
  data = { amount: 5 },
  ...changes
}: Partial<Omit<HistoryRecord, 'payload'>> & { readonly data?: unknown } = {}): HistoryRecord => ({
  seq: 7,
  time: '2026-01-02T03:04:05.678Z',
  kind: 'cmd',
  subject: 'cmd.accounts.deposit.alice.guest',
  subjectBase64: null,
  module: 'accounts',
  name: 'deposit',
  agent: 'alice',
  sender: 'guest',
  id: null,
  cause: null,
  conversation: 7,
  payload: new Payload(Buffer.from(JSON.stringify(data))),
  ...changes,
});

test('one record is one line, its fields in the order that is promised', () => {
  assert.equal(
    lineFormatter()(record()),
    '    7 2026-01-02T03:04:05.678Z cmd accounts.deposit alice guest       - {"amount":5}',
  );
  const answered = lineFormatter()(
    record({ kind: 'res', seq: 8, sender: 'accounts', cause: 7, data: { status: 'ok' } }),
  );
  assert.deepEqual(answered.trim().split(/ +/), [
    '8',
    '2026-01-02T03:04:05.678Z',
    'res',
    'accounts.deposit',
    'alice',
    'accounts',
    '7',
    '{"status":"ok"}',
  ]);
});

test('a field that does not apply is a dash, so that every line has as many', () => {
  const line = lineFormatter()(
    record({ kind: 'epoch', module: null, name: 'accounts', agent: null, sender: 'broker', data: null }),
  );
  assert.deepEqual(line.trim().split(/ +/).slice(2), ['epoch', 'accounts', '-', 'broker', '-', 'null']);
  const unknown = lineFormatter()(
    record({ kind: 'unknown', subject: 'odd.subject', module: null, name: null, agent: null }),
  );
  assert.match(unknown, /unknown odd\.subject/);
});

test('columns widen with what comes and stay aligned from there on', () => {
  const format = lineFormatter();
  const first = format(record({ module: 'warehouse-of-the-north', agent: 'a-rather-long-agent' }));
  const second = format(record());
  assert.equal(first.indexOf('{"amount"'), second.indexOf('{"amount"'));
});

test('a terminal gets data cut to its width, a pipe gets all of it', () => {
  const long = record({ data: 'x'.repeat(500) });
  const cut = lineFormatter({ columns: 120 })(long);
  assert.equal(cut.length, 120);
  assert.ok(cut.endsWith('…'));
  assert.ok(lineFormatter()(long).endsWith(`"${'x'.repeat(500)}"`));
  assert.equal(lineFormatter({ columns: 10 })(long).includes('x'), false);
});

test('colour is there when asked for, and what it adds is nothing but colour', () => {
  const plain = lineFormatter()(record());
  const colour = lineFormatter({ colour: true })(record());
  assert.notEqual(colour, plain);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape itself is meant
  assert.equal(colour.replace(/\u001b\[\d+m/g, ''), plain);
});

test('what a record holds cannot steer a terminal or break its line', () => {
  const line = lineFormatter()(record({ agent: 'a\u001b[2Jb', data: 'one\ntwo\u001b]0;x\u0007\u009b31m' }));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
  assert.equal(/[\u0000-\u001f\u007f-\u009f]/.test(line), false);
});
