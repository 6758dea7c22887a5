import assert from 'node:assert/strict';
import { test } from 'node:test';
import Schema from 'typebox/schema';
import { HEADER } from '../../schemas/headers.js';
import {
  conversationOf,
  type HistoryLine,
  historyLine,
  HistoryRecordSchema,
  type StoredMessage,
  toHistory,
} from '../../schemas/record.js';

const stored = (
  subject: string,
  payload: string,
  headers: Readonly<Record<string, string>> = {},
): StoredMessage => ({
  seq: 7,
  time: '2026-01-01T00:00:00.000Z',
  timeMs: Date.UTC(2026, 0),
  subject,
  header: (name) => headers[name],
  data: new TextEncoder().encode(payload),
});

const check = Schema.Compile(HistoryRecordSchema);
const record = (...message: Parameters<typeof stored>): HistoryLine => {
  const line = JSON.parse(historyLine(toHistory(stored(...message)))) as HistoryLine;
  assert.equal(check.Check(line), true, JSON.stringify(line));
  return line;
};

test('a command without a header begins a conversation, and its sender is the last token', () => {
  assert.deepEqual(record('cmd.accounts.deposit.alice.guest', '{"amount":5}'), {
    seq: 7,
    time: '2026-01-01T00:00:00.000Z',
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
    form: 'json',
    data: { amount: 5 },
  });
});

test('a result names its cause, its conversation and its producer', () => {
  const headers = { [HEADER.id]: 'accounts.3.1', [HEADER.cause]: '5', [HEADER.conversation]: '2' };
  const line = record('res.accounts.deposit.alice', '{"status":"ok","data":null}', headers);
  assert.deepEqual([line.kind, line.sender, line.cause, line.conversation], ['res', 'accounts', 5, 2]);
  assert.equal(conversationOf(stored('res.accounts.deposit.alice', '', headers)), 2);
});

test('an epoch belongs to no module and no conversation', () => {
  const line = record('epoch.accounts', '{}');
  assert.deepEqual(
    [line.kind, line.name, line.sender, line.module, line.conversation],
    ['epoch', 'accounts', 'broker', null, null],
  );
});

test('a record that nobody understands still has a line, with what is there', () => {
  const line = record('what.is.this', 'no json');
  assert.deepEqual(
    [line.kind, line.subject, line.form, line.data],
    ['unknown', 'what.is.this', 'text', 'no json'],
  );
});

test('a header that is no sequence counts as absent', () => {
  const line = record('evt.m.e', '{}', { [HEADER.cause]: 'x', [HEADER.conversation]: '9007199254740993' });
  assert.deepEqual([line.cause, line.conversation], [null, 7]);
});
