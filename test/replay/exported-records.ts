import fc from 'fast-check';
import { WireRecord } from '../../journal/wire/wire-record.js';
import { FoundRecord } from '../../replay/history/read-history.js';
import { EXPORT_FORMATS, type ExportFormatName } from '../../transfer/export/export-log.js';
import { readExport } from '../../transfer/import/read-export.js';
import type { ExportHead } from '../../schemas/export.js';
import type { RawRecord, WholeMessage } from '../../schemas/record.js';

/** A record as a reader gives it. */
export const wireRecord = ({ seq, nanos, subjectBytes, headerBytes, data }: RawRecord): WholeMessage => {
  const parts = [Buffer.from(subjectBytes), Buffer.from(nanos), Buffer.from(headerBytes), Buffer.from(data)];
  const ends: number[] = [];
  for (const part of parts) ends.push((ends.at(-1) ?? 0) + part.length);
  const [a = 0, b = 0, c = 0, d = 0] = ends;
  return new WireRecord(seq, Buffer.concat(parts), 0, a, a, b, b, c, d);
};

export const headerBytes = (...lines: readonly string[]): Uint8Array =>
  Buffer.from(lines.length === 0 ? '' : `NATS/1.0\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`);

export const rawRecord = ({
  subject = 'cmd.accounts.deposit.alice.guest',
  subjectBytes = Buffer.from(subject),
  ...record
}: Partial<RawRecord> = {}): RawRecord => ({
  seq: 1,
  nanos: '1767225600123456789',
  subject,
  subjectBytes,
  headerBytes: headerBytes('Tally-Schema: 1'),
  data: Buffer.from('{"amount":5}'),
  ...record,
});

/** What ends a subject, or a token of it; the server stores any other byte. */
const ENDS = new Set(Buffer.from(' \t\r\n.'));
/** A token of a subject, a character a byte: as names are, and as they are not. */
const name = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[A-Za-z0-9_=$-]{1,12}$/) },
  {
    weight: 1,
    arbitrary: fc
      .uint8Array({ minLength: 1, maxLength: 6 })
      .map((bytes) => Buffer.from(bytes.map((byte) => (ENDS.has(byte) ? 1 : byte))).toString('latin1')),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '*',
      '\u0000',
      '\u0001',
      '\u000b',
      '\u000c',
      '\u007f',
      '\u009b',
      '\xc3',
      '\xed\xa0\x80',
      '\xef\xbf\xbd',
    ),
  },
);
const subject = fc
  .oneof(
    fc.array(name, { minLength: 3, maxLength: 4 }).map((tokens) => ['cmd', ...tokens].join('.')),
    fc
      .tuple(fc.constantFrom('res', 'evt'), fc.array(name, { minLength: 2, maxLength: 3 }))
      .map(([kind, tokens]) => [kind, ...tokens].join('.')),
    name.map((producer) => `epoch.${producer}`),
  )
  .map((text) => Buffer.from(text, 'latin1'));
/** Headers as programs write them, and as they do not. */
const headers = fc.oneof(
  fc
    .array(fc.tuple(fc.stringMatching(/^[ -~]{1,10}$/), fc.stringMatching(/^[^\r]{0,10}$/)), {
      maxLength: 5,
    })
    .map((all) => headerBytes(...all.map(([key, value]) => `${key}: ${value}`))),
  fc.constantFrom(
    headerBytes('X-A: 1', 'X-B: 2', 'X-A: 3'),
    headerBytes('X-A:1'),
    headerBytes('2: b', '1: a'),
    headerBytes('__proto__: x'),
    headerBytes('X-A: ', 'X-A: ü'),
    Buffer.from([...headerBytes('X: y').subarray(0, -4), 0xff, 0xfe, 13, 10, 13, 10]),
    // Bytes that a sender calls headers, and the server stores.
    ...[
      'x',
      'NATS/1.0',
      'NATS/1.0\r\n',
      'NATS/1.0\r\n\r\n',
      'NATS/1.0 503 no\r\n\r\n',
      'NATS/1.0\nA: 1\n\n',
      'NATS/1.0\r\nA: 1\r\n\r\nB: 2\r\n\r\n',
      '\0',
    ].map((text) => Buffer.from(text)),
    headerBytes(
      'Content-Type: \u0001/\u009b; x',
      'traceparent: \u007f',
      'Tally-Part: \ufffe',
      'Tally-Deadline: x\u0000y',
    ),
    headerBytes('Content-Type: text/plain', ': no name', 'no colon'),
    headerBytes(...Array.from({ length: 2_000 }, (_, i) => `H${i}: ${i}`)),
  ),
);
const data = fc.oneof(
  fc.json().map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 50 }),
  fc
    .constantFrom(
      '',
      '{"a":1.0}',
      '{"a":1,"a":2}',
      ' 1',
      '"\\u0041"',
      '1e400',
      '9007199254740993',
      '{"__proto__":1}',
      '{"2":0,"1":0}',
      '\ufeff1',
    )
    .map((text) => Buffer.from(text)),
);

/** Records 1, 2, 3 … with anything in them that a log can have. */
export const anyRecords: fc.Arbitrary<readonly RawRecord[]> = fc
  .array(
    fc.record({
      nanos: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String),
      subject,
      headerBytes: headers,
      data,
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((all) =>
    all.map(({ subject: subjectBytes, ...record }, i) => ({
      ...record,
      subject: subjectBytes.toString('utf8'),
      subjectBytes,
      seq: i + 1,
    })),
  );

export const exportHead = (toSeq: number): ExportHead => ({
  tallystick: 'export',
  format: 1,
  logId: '2026-01-01T00:00:00.123456789Z',
  query: {},
  toSeq,
});

export const exportedAs = (format: ExportFormatName, records: readonly RawRecord[]): string => {
  const log = exportHead(records.at(-1)?.seq ?? 0);
  const { head, line } = EXPORT_FORMATS[format];
  const lines = records.map((record) => line(new FoundRecord(wireRecord(record)), log));
  return [head(log), ...lines].join('');
};

/** What comes of a file that arrives in pieces of so many bytes. */
export const imported = async (
  text: string | Uint8Array,
  options: { readonly partial?: boolean; readonly pieceBytes?: number } = {},
): Promise<readonly RawRecord[]> => {
  const bytes = Buffer.from(text as string);
  const size = options.pieceBytes ?? Math.max(7, Math.ceil(bytes.length / 1_000));
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const records: RawRecord[] = [];
  for await (const record of readExport(pieces(), options)) records.push(record);
  return records;
};
