import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultError } from '../../schemas/errors.js';
import { exportedAs, exportHead, imported, rawRecord } from './exported-records.js';

const HEAD = JSON.stringify(exportHead(3));
const line = (seq: number, more: object = {}): string =>
  JSON.stringify({
    seq,
    time: '2026-01-01T00:00:00Z',
    subject: 'cmd.a.b.guest',
    headers: {},
    data: seq,
    ...more,
  });
const GOOD = [HEAD, line(1), line(2), line(3)];

const refused = async (text: string | Uint8Array, message: RegExp, partial = false): Promise<void> => {
  await assert.rejects(imported(text, { partial }), (error) => {
    assert.ok(error instanceof FaultError);
    assert.equal(error.fault.code, 'IMPORT_INVALID');
    assert.match(error.fault.message, message);
    return true;
  });
};
const replaced = (number: number, text: string): string =>
  GOOD.map((each, i) => (i + 1 === number ? text : each)).join('\n');

test('what is good is taken, with empty lines and without a last newline', async () => {
  assert.equal((await imported(`${GOOD.join('\n')}\n`)).length, 3);
  assert.equal((await imported(`\ufeff${GOOD.join('\r\n\r\n')}`)).length, 3);
  assert.deepEqual(await imported(''), []);
});

test('a bad line is refused with its number and the reason', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['{"seq":2', /^line 3: it is not JSON/],
    ['[]', /^line 3: the record/],
    ['null', /^line 3: the record/],
    [line(2, { seq: '2' }), /^line 3: the record\/seq/],
    [line(2, { seq: 0 }), /^line 3: the record\/seq/],
    [line(2, { seq: 1.5 }), /^line 3: the record\/seq/],
    [line(2, { note: 1 }), /^line 3: the record\/note is not a known property/],
    [line(2, { time: 'yesterday' }), /^line 3: "yesterday" is not an RFC 3339 time/],
    [line(2, { time: '2026-02-30T00:00:00Z' }), /^line 3: .* is not an RFC 3339 time/],
    [line(2, { time: '2300-01-01T00:00:00Z' }), /^line 3: .* is not an RFC 3339 time/],
    [line(2, { subject: 'live.a.b' }), /^line 3: "live.a.b" is not a subject of the log/],
    [line(2, { subject: 'cmd.a..guest' }), /^line 3: .* is not a subject of the log/],
    [line(2, { subject: 'cmd.a b.c.guest' }), /^line 3: .* is not a subject of the log/],
    [line(2, { headers: { 'a b': ['x'] } }), /^line 3: "a b" is no name of a header/],
    [line(2, { headers: { a: ['x\r\nb: y'] } }), /^line 3: header a has a line break/],
    [line(2, { headers: { a: 'x' } }), /^line 3: the record\/headers/],
    [line(2, { headers: undefined }), /^line 3: it needs one of headers and headersBase64/],
    [line(2, { headersBase64: '' }), /^line 3: it needs one of headers and headersBase64/],
    [line(2, { headers: undefined, headersBase64: 'ü' }), /^line 3: headersBase64 is not base64/],
    [line(2, { subjectBase64: 'eA==' }), /^line 3: it needs one of subject and subjectBase64/],
    [line(2, { subject: undefined, subjectBase64: 'eA==' }), /^line 3: "x" is not a subject of the log/],
    [line(2, { data: undefined }), /^line 3: it needs one of data and dataBase64/],
    [line(2, { data: undefined, dataBase64: 'ü' }), /^line 3: dataBase64 is not base64/],
    [line(2, { data: 'x'.repeat(1_100_000) }), /^line 3: a record of 1100002 bytes is above/],
    [line(4), /^line 3: records 2 to 3 are missing/],
    [line(3), /^line 3: record 2 is missing/],
    [line(1), /^line 3: record 1 comes after 1/],
  ];
  for (const [text, message] of cases) await refused(replaced(3, text), message);
  await refused(replaced(1, '{"seq":1}'), /^line 1: it is neither the first line of an export/);
  await refused(replaced(1, HEAD.replace('"format":1', '"format":2')), /^line 1: the first line\/format/);
  await refused(Buffer.from([...Buffer.from(`${HEAD}\n`), 0xff, 10]), /^line 2: it is not UTF-8/);
  await refused(`${HEAD}\n${'x'.repeat(9_000_000)}`, /^line 2: it is longer than/);
});

test('a file that was cut short is found out, at a line or within one', async () => {
  await refused(
    GOOD.slice(0, 3).join('\n'),
    /ends with record 2, and its export went to 3: it was cut short/,
  );
  await refused(GOOD.join('\n').slice(0, -3), /^line 4: it is not JSON/);
  await refused(HEAD, /ends with record 0/);
  const events = exportedAs(
    'cloudevents',
    [1, 2, 3].map((seq) => rawRecord({ seq })),
  ).split('\n');
  await refused(events.slice(0, 2).join('\n'), /ends with record 2, and its export went to 3/);
});

test('a part is taken where that is wanted, never out of order', async () => {
  const part = [HEAD.replace('"query":{}', '"query":{"agent":"x"}'), line(2), line(7)];
  await refused(part.join('\n'), /^line 2: record 1 is missing/);
  const records = await imported(part.join('\n'), { partial: true });
  assert.deepEqual(
    records.map(({ seq }) => seq),
    [2, 7],
  );
  await refused([...part, line(7)].join('\n'), /^line 4: record 7 comes after 7/, true);
});

test('a CloudEvent of somebody else, or without what a record needs, is refused', async () => {
  const event = JSON.parse(exportedAs('cloudevents', [rawRecord()])) as Record<string, unknown>;
  const changed = (more: object): string => JSON.stringify({ ...event, ...more });
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ source: '/elsewhere' }, /its source is not a log of Tallystick/],
    [{ specversion: '0.3' }, /not a CloudEvent of version 1\.0/],
    [{ sequence: '1' }, /its sequence is not 16 digits/],
    [{ subject: undefined }, /its subject or time is missing/],
    [{ tallyheaders: undefined }, /its tallyheaders are missing/],
    [{ tallyheaders: '{"headers":1}' }, /the record\/headers/],
    [{ tallyheaders: '{}' }, /it needs one of headers and headersBase64/],
    [{ data_base64: 'eA==' }, /it needs one of data and dataBase64/],
  ];
  for (const [more, message] of cases) await refused(changed(more), message);
  assert.equal((await imported(changed({ partitionkey: 'added on the way' }))).length, 1);
});
