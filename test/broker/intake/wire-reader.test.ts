import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WireReader } from '../../../broker/intake/wire-reader.js';

const token = fc.stringMatching(/^[a-z0-9_$-]{1,12}$/);
const subject = fc.array(token, { minLength: 1, maxLength: 5 }).map((tokens) => tokens.join('.'));
const message = fc.record({
  kind: fc.constant('message' as const),
  subject,
  sid: fc.nat(1_000),
  reply: fc.oneof(fc.constant(''), subject),
  headers: fc.option(fc.uint8Array({ minLength: 1, maxLength: 300 }), { nil: undefined }),
  payload: fc.uint8Array({ maxLength: 2_000 }),
  isKept: fc.boolean(),
});
const line = fc.record({
  kind: fc.constant('line' as const),
  text: fc.constantFrom('PING', 'PONG', '+OK', "-ERR 'no'", 'INFO {"nonce":"ä"}'),
});

test('a message is read as it was sent, however the bytes are cut, and what is not kept takes nothing of the next', () => {
  const sent = fc.array(fc.oneof(message, line), { maxLength: 20 });
  fc.assert(
    fc.property(
      sent,
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }),
      (all, cuts) => {
        const bytes = Buffer.concat(
          all.flatMap((each) => {
            if (each.kind === 'line') return [Buffer.from(`${each.text}\r\n`)];
            const { headers, payload, sid, reply } = each;
            const size = (headers?.length ?? 0) + payload.length;
            const first = [
              headers === undefined ? 'MSG' : 'HMSG',
              each.subject,
              sid,
              ...(reply === '' ? [] : [reply]),
            ];
            const sizes = headers === undefined ? [size] : [headers.length, size];
            const text = `${[...first, ...sizes].join(' ')}\r\n`;
            return [Buffer.from(text), Buffer.from(headers ?? []), Buffer.from(payload), Buffer.from('\r\n')];
          }),
        );
        const kept = all.flatMap((each) => (each.kind === 'message' ? [each.isKept] : []));
        const read: unknown[] = [];
        let coming: { payload?: Uint8Array } = {};
        let count = 0;
        const reader = new WireReader({
          line: (text) => read.push({ kind: 'line', text }),
          place: ({ size, headers, ...rest }) => {
            const isKept = kept[count++] === true;
            const payload = isKept ? new Uint8Array(size - headers.length) : undefined;
            coming = {
              ...rest,
              headers: [...headers],
              isKept,
              ...(payload === undefined ? {} : { payload }),
            } as never;
            return payload;
          },
          end: () => read.push({ kind: 'message', ...coming }),
        });
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const chunk = Buffer.from(bytes.subarray(at, at + (cuts[i % cuts.length] as number)));
          at += chunk.length;
          reader.feed(chunk);
          chunk.fill(0);
        }
        const wanted = all.map((each) => {
          if (each.kind === 'line') return each;
          const { payload, headers, ...rest } = each;
          return { ...rest, headers: [...(headers ?? [])], ...(each.isKept ? { payload } : {}) };
        });
        // Generated records have no prototype.
        assert.deepEqual(structuredClone(read), structuredClone(wanted));
      },
    ),
    { numRuns: 200 },
  );
});

test('bytes that no NATS server sends end the reading', () => {
  const reader = new WireReader({ line: () => undefined, place: () => undefined, end: () => undefined });
  assert.throws(() => reader.feed(Buffer.from('HMSG a 1 20 10\r\n')));
  assert.throws(() => reader.feed(Buffer.alloc(2 * 1024 * 1024, 'x')));
});
