import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import Schema from 'typebox/schema';
import { ExportedRecordSchema, ExportHeadSchema } from '../../schemas/export.js';
import type { RawRecord } from '../../schemas/record.js';
import { anyRecords, exportedAs, headerBytes, imported, rawRecord } from './exported-records.js';
import { byForm } from '../support/form.js';

const plain = ({ headerBytes: headers, subjectBytes, data, ...record }: RawRecord): unknown => ({
  ...record,
  subjectBytes: Buffer.from(subjectBytes).toString('latin1'),
  headers: Buffer.from(headers).toString('latin1'),
  data: Buffer.from(data).toString('hex'),
});

for (const format of ['ndjson', 'cloudevents'] as const) {
  test(`whatever a record holds comes back from ${format} to the byte, and gives the same file`, async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, fc.integer({ min: 1, max: 300 }), async (records, pieceBytes) => {
        const text = exportedAs(format, records);
        const back = await imported(text, { pieceBytes });
        assert.deepEqual(back.map(plain), records.map(plain));
        assert.equal(exportedAs(format, back), text);
      }),
      { numRuns: byForm({ short: 35, deep: 200 }) },
    );
  });
}

test('each line of ndjson fits its published schema', () => {
  const [headCheck, recordCheck] = [Schema.Compile(ExportHeadSchema), Schema.Compile(ExportedRecordSchema)];
  fc.assert(
    fc.property(anyRecords, (records) => {
      const [head = '', ...lines] = exportedAs('ndjson', records).trimEnd().split('\n');
      assert.ok(headCheck.Check(JSON.parse(head)), head);
      for (const line of lines) assert.ok(recordCheck.Check(JSON.parse(line)), line);
    }),
    { numRuns: byForm({ short: 10, deep: 50 }) },
  );
});

test('JSON stays JSON; what would not print back to the same bytes is base64', () => {
  const lineOf = (record: Partial<RawRecord>): Record<string, unknown> =>
    JSON.parse(exportedAs('ndjson', [rawRecord(record)]).split('\n')[1] ?? '') as Record<string, unknown>;
  assert.deepEqual(lineOf({}), {
    seq: 1,
    time: '2026-01-01T00:00:00.123456789Z',
    subject: 'cmd.accounts.deposit.alice.guest',
    headers: { 'Tally-Schema': ['1'] },
    data: { amount: 5 },
  });
  assert.deepEqual(lineOf({ headerBytes: headerBytes('A: 1', 'A: 2') }).headers, { A: ['1', '2'] });
  for (const text of ['{"amount": 5}', '1.0', '', 'hello'])
    assert.equal(lineOf({ data: Buffer.from(text) }).dataBase64, Buffer.from(text).toString('base64'));
});

test('every line of cloudevents is a CloudEvent 1.0 that stands alone', () => {
  const headers = headerBytes(
    'Tally-Id: accounts.3.7',
    'Tally-Cause: 4',
    'Tally-Conversation: 2',
    'Tally-Part: 1/2',
    'Tally-Schema: 2',
    'X-Other: y',
  );
  const event = JSON.parse(
    exportedAs('cloudevents', [rawRecord({ subject: 'evt.accounts.deposited.alice', headerBytes: headers })]),
  ) as Record<string, unknown>;
  const { tallyheaders, ...rest } = event;
  assert.deepEqual(rest, {
    specversion: '1.0',
    id: '1',
    source: '/tallystick/logs/2026-01-01T00:00:00.123456789Z',
    type: 'tallystick.evt.accounts.deposited',
    subject: 'evt.accounts.deposited.alice',
    time: '2026-01-01T00:00:00.123456789Z',
    sequence: '0000000000000001',
    exportend: '0000000000000001',
    cause: '4',
    conversation: '2',
    producer: 'accounts',
    producerepoch: '3',
    producernumber: '7',
    part: '1/2',
    schemaversion: '2',
    datacontenttype: 'application/json',
    data: { amount: 5 },
  });
  assert.equal((JSON.parse(tallyheaders as string) as { headers: object }).headers !== undefined, true);

  fc.assert(
    fc.property(anyRecords, (records) => {
      for (const line of exportedAs('cloudevents', records).trimEnd().split('\n')) {
        const { data, data_base64, ...attributes } = JSON.parse(line) as Record<string, unknown>;
        assert.ok(data === undefined || data_base64 === undefined);
        for (const [name, value] of Object.entries(attributes)) {
          assert.match(name, /^[a-z0-9]{1,20}$/);
          assert.ok(typeof value === 'string' && value !== '', name);
        }
      }
    }),
    { numRuns: byForm({ short: 10, deep: 50 }) },
  );
});

test('csv quotes as RFC 4180 says, and no cell is a formula', () => {
  const lines = (record: Partial<RawRecord>): string => exportedAs('csv', [rawRecord(record)]);
  assert.equal(
    lines({}),
    'seq,time,kind,subject,module,name,agent,sender,id,cause,conversation,data\r\n' +
      '1,2026-01-01T00:00:00.123456789Z,cmd,cmd.accounts.deposit.alice.guest,accounts,deposit,alice,guest,,,1,"{""amount"":5}"\r\n',
  );
  for (const text of ['=1+2', '+1', '-1', '@x', '\t=1', '\r=1'])
    assert.match(lines({ data: Buffer.from(text) }), /,"?'[=+@\t\r-]/, text);
  assert.match(lines({ subject: 'cmd.a.b.=x.guest' }), /,'=x,guest,/);
  assert.match(lines({ data: Buffer.from('a\r\n"b",c') }), /,"a\r\n""b"",c"\r\n$/);
  assert.match(lines({ data: Buffer.from([0xff]) }), /,base64:\/w==\r\n$/);
});
