import fc from 'fast-check';
import type { MsgHdrs } from 'nats';

/** Input that nobody should send and anybody can: for tests that feed it to whatever reads what comes from outside. */

/** Names that every object of JavaScript has, and others that mean something somewhere. */
export const awkwardName = (): fc.Arbitrary<string> =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        '__proto__',
        'constructor',
        'toString',
        'valueOf',
        'hasOwnProperty',
        'prototype',
        'then',
        'length',
        'name',
      ),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom('', ' ', '.', '*', '>', '-', '_', '0', '-1', 'NaN', 'null', '1e999'),
    },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
    { weight: 1, arbitrary: fc.integer({ min: 60, max: 70_000 }).map((n) => 'x'.repeat(n)) },
  );

/** Bytes that a failing test shows by their beginning: all of them would be megabytes of numbers. */
const shown = (bytes: Uint8Array): Uint8Array =>
  Object.assign(bytes, {
    [fc.toStringMethod]: () => {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
      return bytes.length < 200
        ? JSON.stringify(text)
        : `${bytes.length} bytes, ${JSON.stringify(text.slice(0, 60))}…`;
    },
  });

const bytesOf = (text: string): Uint8Array => shown(Buffer.from(text, 'utf8'));

/** A line of a header block as it should not be; what the client refuses to read is among it. */
const badLine = (): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    fc
      .constantFrom(
        'Bad Key: 1',
        ': 1',
        ' : 1',
        '\t: 1',
        'no colon',
        'Tally-Cause 1',
        'Ä: 1',
        'a\u0000b: 1',
        'a: \u0000',
        '\rX: 1',
        '\nX: 1',
        'X: 1\nY: 2',
        'NATS/1.0 503',
        ' folded: 1',
        '\u007f: 1',
        '::::',
      )
      .map(bytesOf),
    fc.uint8Array({ maxLength: 40 }),
    fc
      .tuple(awkwardName(), fc.string({ maxLength: 20 }))
      .map(([name, value]) => bytesOf(`${name}: ${value}`)),
  );

/** Any value under one of the names that the reader looks at. */
const namedLine = (names: readonly string[]): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(fc.constantFrom(...names), fc.oneof(awkwardName(), fc.integer().map(String)))
    .map(([name, value]) => bytesOf(`${name}: ${value}`));

/** The first line of a header block. */
const firstLine = (): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant('NATS/1.0') },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '',
        'NATS/1.0 503',
        'NATS/1.0 99999999999 x',
        'NATS/9',
        'nats/1.0',
        'NATS/1.0 x',
      ),
    },
  );

const LINE_END = bytesOf('\r\n');

/** A block of headers as bytes: good lines, bad lines, cut off anywhere. `names`: which ones its reader looks at. */
export const headerBlock = (names: readonly string[] = ['Tally-Cause']): fc.Arbitrary<Uint8Array> =>
  fc
    .record({
      first: firstLine(),
      lines: fc.array(fc.oneof(badLine(), namedLine(names)), { maxLength: 8 }),
      end: fc.constantFrom('\r\n\r\n', '\r\n', '\n\n', ''),
      cut: fc.option(fc.nat(200), { freq: 6 }),
    })
    .map(({ first, lines, end, cut }) => {
      const parts = [bytesOf(first), ...lines.flatMap((line) => [LINE_END, line]), bytesOf(end)];
      const whole = Buffer.concat(parts);
      return shown(cut === null ? whole : whole.subarray(0, cut));
    });

/** Has the client send these bytes as the headers of a message, whatever they are. */
export const rawHeaders = (bytes: Uint8Array): MsgHdrs => ({ encode: () => bytes }) as unknown as MsgHdrs;

/** JSON that is nested as deep as that. */
export const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

/** Payloads, bytes: deep, long, of the wrong type, no JSON, no UTF-8. `keys`: which ones their reader looks at. */
export const awkwardPayload = (
  keys: readonly string[] = ['name'],
  maxBytes = 1_000_000,
): fc.Arbitrary<Uint8Array> => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    awkwardName(),
    fc.constantFrom(null, -1, 0.5, 1e308, Number.MAX_SAFE_INTEGER, [], {}, true),
  );
  const fields = fc.dictionary(fc.oneof(fc.constantFrom(...keys), awkwardName()), value, { maxKeys: 6 });
  return fc.oneof(
    { weight: 5, arbitrary: fields.map((body) => bytesOf(JSON.stringify(body))) },
    { weight: 2, arbitrary: fc.json({ maxDepth: 4 }).map(bytesOf) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    { weight: 1, arbitrary: fc.constantFrom(1_000, 6_000, 20_000).map((depth) => bytesOf(nested(depth))) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(...keys), fc.constantFrom(1_000, 6_000, 20_000))
        .map(([key, depth]) => bytesOf(`{${JSON.stringify(key)}:${nested(depth)}}`)),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(...keys), fc.constantFrom(70_000, 900_000, maxBytes))
        .map(([key, size]) => bytesOf(`{${JSON.stringify(key)}:"${'x'.repeat(Math.max(0, size - 100))}"}`)),
    },
  );
};
