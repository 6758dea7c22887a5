import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WireRecord } from '../../journal/wire/wire-record.js';
import { wordsOf } from '../../journal/wire/byte-words.js';
import { copyHash, copyHashOf, FORBIDDEN, promisedBy } from '../../replay/verify/decision.js';
import { promisedCopies } from '../../schemas/result-bytes.js';
import { KIND, RecordView } from '../../replay/verify/record-view.js';
import { HEADER } from '../../schemas/headers.js';
import { parseIdentity, parsePart, parseSequence } from '../../schemas/identity.js';
import { partOrInvalid } from '../../schemas/names.js';
import { splitSubject } from '../../schemas/subjects.js';
import { byForm } from '../support/form.js';

/** A record as a reader gets it: other bytes stand before and behind it. */
const recordOf = (subject: string, headers: string, data: string, shift = 0): WireRecord => {
  const parts = ['x'.repeat(shift), subject, '1700000000123456789', headers, data, '\r\nHMSG'].map((part) =>
    Buffer.from(part),
  );
  const ends: number[] = [];
  for (const { length } of parts) ends.push((ends.at(-1) ?? 0) + length);
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = ends;
  return new WireRecord(7, Buffer.concat(parts), a, b, b, c, c, d, e);
};

const block = (lines: readonly string[]): string =>
  lines.length === 0 ? '' : `NATS/1.0\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;

const digits = fc.oneof(
  fc.integer({ min: 0, max: 99_999 }).map(String),
  fc.constantFrom(
    '0',
    '007',
    '9007199254740991',
    '9007199254740993',
    '12345678901234567',
    '',
    '1x',
    '-1',
    '4 ',
  ),
);
const name = fc.constantFrom('accounts', 'guest~sensor-7', 'a', 'orders_2', 'gateway');
const line = fc.oneof(
  fc.tuple(name, digits, digits).map(([who, epoch, n]) => `Tally-Id: ${who}.${epoch}.${n}`),
  digits.map((cause) => `Tally-Cause: ${cause}`),
  digits.map((cause) => `Tally-Cause:${cause}`),
  fc.tuple(digits, digits).map(([i, n]) => `Tally-Part: ${i}/${n}`),
  digits.map((n) => `Tally-Conversation: ${n}`),
  digits.map((n) => `Nats-Expected-Last-Subject-Sequence: ${n}`),
  name.map((who) => `Nats-Expected-Last-Subject-Sequence-Subject: epoch.${who}`),
  fc.constantFrom(
    'Tally-Schema: 1',
    'Tally-Ida: x.1.1',
    'Tally-Identity: x.1.1',
    'tally-id: x.1.1',
    'Tally-Call: 4',
    'Tally-Priority: urgent',
    'T: 1',
    'Nats-Batch-Id: 123456789',
    // Its sender's own: only what a delivery added is not stored.
    'Nats-Pin-Id: 1',
    'Nats-Exp: ',
    'N: ',
    'traceparent: 00-Tally-Id: a.1.1',
    'X: Tally-Cause: 4',
    'Täl: ü',
    ':',
    // Lines as the server stores them too.
    '',
    'a\nTally-Cause: 5',
    '\rTally-Cause: 5',
    'Tally-Cause: \u000b5',
    'Tally-Cause:\t5 \t',
    'Tally-Part: \u00a01/2',
    'no colon',
  ),
);

test('headers and subjects are read from bytes as they are from strings', () => {
  const view = new RecordView();
  const token = fc.constantFrom('accounts', 'a-b_9', 'depo$it', '_', 'ü', 'x'.repeat(65), 'guest', 'cmd');
  const subject = fc
    .tuple(
      fc.constantFrom('cmd', 'res', 'evt', 'epoch', 'other', 'cm', 'epochs'),
      fc.array(token, { minLength: 1, maxLength: 6 }),
    )
    .map(([kind, tokens]) => [kind, ...tokens].join('.'));
  fc.assert(
    fc.property(
      subject,
      fc.array(line, { maxLength: 8 }),
      fc.integer({ min: 0, max: 9 }),
      (text, lines, shift) => {
        const stored = block(lines);
        const record = recordOf(text, stored, '{"a":1}', shift);
        view.look(record);
        const { headers, bytes } = view;
        // As the first of a name has it, blanks at its ends left out.
        const expected = recordOf(text, stored, '');
        const id = parseIdentity(expected.header(HEADER.id) ?? '');
        const found =
          headers.epoch === 0
            ? undefined
            : {
                producer: bytes.toString('utf8', headers.producerFrom, headers.producerTo),
                epoch: headers.epoch,
                n: headers.n,
              };
        assert.deepEqual(found, id);
        assert.equal(headers.cause, parseSequence(expected.header(HEADER.cause) ?? '') ?? 0);
        const part = parsePart(expected.header(HEADER.part) ?? '') ?? { i: 0, n: 0 };
        assert.deepEqual([headers.part, headers.parts], [part.i, part.n]);
        const asStored = lines.length === 0 ? '' : stored.slice(0, -2);
        assert.equal(bytes.toString('utf8', record.headersFrom, headers.storedTo), asStored);

        const split = splitSubject(text);
        const kind = split === undefined ? 'unknown' : split.kind;
        assert.equal(view.kind, KIND[kind], text);
        if (split === undefined || split.kind === 'epoch') return;
        assert.equal(view.text(view.moduleFrom, view.moduleTo), split.module);
        assert.equal(view.text(view.agentFrom, view.agentTo), split.agent ?? '');
        if (split.kind !== 'cmd') return;
        assert.equal(view.text(view.senderFrom, view.senderTo), split.sender);
        const { address, lane } = view;
        // The result of a command has the same address, whatever in it is no name.
        const own = [split.module, split.name, ...(split.agent === undefined ? [] : [split.agent])];
        view.look(recordOf(`res.${own.map(partOrInvalid).join('.')}`, '', '', shift + 1));
        assert.deepEqual([view.address, view.lane], [address, lane]);
        view.look(recordOf(`res.${[...own.slice(0, -1), 'other'].map(partOrInvalid).join('.')}`, '', ''));
        assert.notEqual(view.address, address);
      },
    ),
    { numRuns: byForm({ short: 400, deep: 2_000 }) },
  );
});

const MODULE = { bytes: Buffer.from('a'), from: 0, to: 1 };

test('what a result promises is read from its bytes as JSON.parse reads it', () => {
  const out = fc.record({
    subject: fc
      .tuple(fc.constantFrom('evt', 'cmd', 'res'), fc.constantFrom('a.b', 'a.b.c"d', 'm.n.ü'))
      .map((each) => each.join('.')),
    id: fc.constantFrom('1/1', '12/3'),
    data: fc.jsonValue(),
  });
  const result = fc.oneof(
    fc.record(
      { status: fc.constant('ok'), data: fc.jsonValue(), out: fc.array(out, { maxLength: 3 }) },
      { requiredKeys: ['status', 'data'] },
    ),
    fc.record({ status: fc.constant('ok'), data: fc.record({ out: fc.array(out) }) }),
    fc.record({ out: fc.array(out), status: fc.constantFrom('ok', 'failed'), data: fc.jsonValue() }),
    fc.record({ status: fc.constant('ok'), data: fc.jsonValue(), out: fc.array(out), more: fc.jsonValue() }),
  );
  fc.assert(
    fc.property(
      result,
      fc.constantFrom(undefined, 1),
      fc.integer({ min: 0, max: 5 }),
      (value, indent, shift) => {
        const text = JSON.stringify(value, undefined, indent);
        const { status, out = [] } = JSON.parse(text) as {
          status: string;
          out?: { subject: string; data: unknown }[];
        };
        const isPromise = status === 'ok' && out.every(({ subject }) => /^(evt|cmd)\./.test(subject));
        // Indented, a payload is other bytes than JSON.stringify writes of it alone.
        const slices = promisedCopies(Buffer.from(text));
        if (indent === undefined)
          assert.deepEqual(
            slices.map(({ data }) => Buffer.from(data).toString()),
            isPromise ? out.map(({ data }) => JSON.stringify(data)) : [],
          );
        const isOwn = (subject: string): boolean => subject === 'evt.a.b' || /^cmd\.[a-z.]+$/.test(subject);
        const expected = slices.map(({ subject, data }) =>
          isOwn(subject) ? copyHashOf(subject, data) : FORBIDDEN,
        );
        const bytes = Buffer.from(`${'x'.repeat(shift)}${text}\r\n`);
        assert.deepEqual(promisedBy(bytes, wordsOf(bytes), shift, bytes.length - 2, MODULE), expected, text);
      },
    ),
    { numRuns: byForm({ short: 400, deep: 2_000 }) },
  );
  const copy = Buffer.from('evt.a.b{"c":1}');
  assert.equal(copyHash(wordsOf(copy), 0, 7, 7, copy.length), copyHashOf('evt.a.b', Buffer.from('{"c":1}')));
});

test('what is no result promises nothing', () => {
  for (const text of [
    '',
    '{',
    'null',
    '4',
    '"out"',
    '{"status":"ok","data":',
    '{"status":"ok","data":{},"out":[',
    '{"status":"ok","data":"\\',
  ]) {
    const bytes = Buffer.from(text);
    assert.deepEqual(promisedBy(bytes, wordsOf(bytes), 0, bytes.length, MODULE), []);
  }
});
