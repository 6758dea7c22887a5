import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { OutgoingBytes } from '../../link/outgoing-bytes.js';

type Step =
  | { readonly kind: 'fill'; readonly parts: readonly number[] }
  | { readonly kind: 'message'; readonly head: string; readonly payload: number }
  | { readonly kind: 'drain' | 'reset' };

const size = fc.oneof(fc.nat(300), fc.constantFrom(70_000, 256 * 1024, 600_000));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('fill' as const), parts: fc.array(size, { maxLength: 3 }) }),
  fc.record({
    kind: fc.constant('message' as const),
    head: fc.string({ unit: 'grapheme', maxLength: 200 }),
    payload: size,
  }),
  fc.record({ kind: fc.constantFrom('drain' as const, 'drain' as const, 'reset' as const) }),
);

/** Bytes that tell where they are from. */
const bytesOf = (length: number, seed: number): Buffer => Buffer.alloc(length, `${seed}|`);

describe('the bytes that a connection is to send', () => {
  it('are what was put in, in order, whatever the socket has sent by when', () =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.infiniteStream(fc.boolean()), (steps, answers) => {
        // What was given to the socket and is not sent, with what it was then: it must not change.
        let inSocket: { readonly bytes: Uint8Array; readonly was: Buffer }[] = [];
        const outgoing = new OutgoingBytes(() => {
          const isSent = answers.next().value as boolean;
          if (isSent) inSocket = [];
          return isSent;
        });
        let expected: Buffer[] = [];
        for (const [index, each] of steps.entries()) {
          if (each.kind === 'fill') {
            const parts = each.parts.map((length, i) => bytesOf(length, index * 10 + i));
            outgoing.fill(...parts);
            expected.push(...parts);
          } else if (each.kind === 'message') {
            const payload = bytesOf(each.payload, index);
            outgoing.message(each.head, Buffer.byteLength(each.head), payload);
            expected.push(Buffer.from(each.head), payload, Buffer.from('\r\n'));
          } else {
            if (each.kind === 'reset') {
              outgoing.reset();
              expected = [];
            }
            const bytes = outgoing.drain();
            assert.ok(Buffer.concat(expected).equals(bytes));
            inSocket.push({ bytes, was: Buffer.from(bytes) });
            expected = [];
          }
          const all = expected.reduce((sum, { length }) => sum + length, 0);
          assert.deepEqual([outgoing.size(), outgoing.length()], [all, all > 0 ? 1 : 0]);
          for (const { bytes, was } of inSocket) assert.ok(was.equals(bytes), 'bytes in the socket changed');
        }
      }),
      { numRuns: 300 },
    ));
});
