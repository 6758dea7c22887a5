import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isDeeperThan, MAX_STORED_DEPTH } from '../../schemas/json-depth.js';
import { Payload } from '../../schemas/payload.js';
import { awkwardPayload } from '../support/awkward.js';
import { jsonText } from '../support/json-text.js';
import { byForm } from '../support/form.js';

const payload = (text: string): Payload => new Payload(Buffer.from(text));

/** The signs, texts, numbers and words of a JSON text, as they are written. */
const wordsOf = (text: string): readonly string[] =>
  text.match(/"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+/gs) ?? [];

test('JSON is shown as it was written: every number, every key, every escape', () => {
  fc.assert(
    fc.property(jsonText(), (text) => {
      const { form, json } = payload(text);
      assert.equal(form, 'json');
      assert.deepEqual(wordsOf(json), wordsOf(text));
      assert.deepEqual(wordsOf(payload(text).shown(true)), wordsOf(text));
      assert.equal(/[\n\r\t]/.test(json), false);
    }),
    { examples: [['{"n":9007199254740993,"n":1e999,"__proto__":-0.0}']] },
  );
});

/** Bytes back from what a line of history says. */
const bytesOf = (form: string, data: unknown): Buffer => {
  if (form === 'empty') return Buffer.alloc(0);
  return Buffer.from(data as string, form === 'base64' ? 'base64' : 'utf8');
};

test('whatever a payload is, its line is JSON that says what it is, and has all of it', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        awkwardPayload(),
        fc.uint8Array({ maxLength: 60 }),
        fc.string().map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        const read = new Payload(bytes);
        const data = JSON.parse(read.json) as unknown;
        if (read.form === 'json') {
          assert.deepEqual(wordsOf(read.json), wordsOf(Buffer.from(bytes).toString()));
          assert.equal(isDeeperThan(bytes, MAX_STORED_DEPTH), false);
        } else assert.deepEqual(bytesOf(read.form, data), Buffer.from(bytes));
        assert.equal(read.shown().includes('\n'), false);
        assert.ok(read.shown(true) !== '');
      },
    ),
    { numRuns: byForm({ short: 25, deep: 60 }) },
  );
});

test('100,000 levels are shown as they are, and computed with as a text', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const text = `${open.repeat(100_000)}1${close.repeat(100_000)}`;
    const read = payload(text);
    assert.deepEqual([read.form, read.shown(), read.shown(true), read.value], ['deep', text, text, text]);
    assert.equal(JSON.parse(read.json), text);
  }
});

test('what is no JSON is marked for people, so that it is not taken for some', () => {
  assert.equal(payload('').shown(), '(empty)');
  assert.equal(payload('"a"').shown(), '"a"');
  assert.equal(payload('a').shown(), '(text) "a"');
  assert.equal(new Payload(Buffer.from([0xff])).shown(), '(base64) /w==');
  assert.equal(payload('\ufeff1').form, 'text');
});
