import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { unframe } from '../../perf/ipc/channels/framed.js';
import { openRing, ringBytes } from '../../perf/ipc/channels/ring.js';

const CAPACITY = 64;

const message = fc.uint8Array({ maxLength: CAPACITY - 8 });

describe('the channels of the benchmark between processes', () => {
  it('a ring gives each message whole and in order, wherever its end is', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(message, fc.constant('read' as const)), { maxLength: 200 }),
        fc.nat({ max: 0xffffffff }),
        (steps, start) => {
          const memory = new ArrayBuffer(ringBytes(CAPACITY));
          // Positions wrap at 2^32: a ring may begin anywhere that is a multiple of four.
          new Uint32Array(memory).fill(start & ~3, 0, 32);
          const ends = { writer: openRing(memory, 0, CAPACITY), reader: openRing(memory, 0, CAPACITY) };
          const held: Uint8Array[] = [];
          for (const step of steps) {
            if (step === 'read') {
              const seen: Uint8Array[] = [];
              const had = ends.reader.read((bytes) => seen.push(bytes.slice()));
              assert.equal(had, held.length > 0);
              assert.deepEqual(seen, held.splice(0, 1));
            } else if (ends.writer.write(step)) held.push(step);
            else assert.ok(held.length > 0, 'an empty ring takes each message');
          }
        },
      ),
    );
  });

  it('a stream that comes in any pieces is cut into its messages', () => {
    fc.assert(
      fc.property(
        fc.array(message),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (messages, sizes) => {
          const bytes = Buffer.concat(
            messages.flatMap((each) => {
              const length = Buffer.alloc(4);
              length.writeUInt32LE(each.length);
              return [length, each];
            }),
          );
          const seen: Uint8Array[] = [];
          const feed = unframe((each) => seen.push(Uint8Array.from(each)));
          for (let at = 0; at < bytes.length; ) {
            const size = sizes.next().value;
            feed(bytes.subarray(at, at + size));
            at += size;
          }
          assert.deepEqual(
            seen,
            messages.map((each) => Uint8Array.from(each)),
          );
        },
      ),
    );
  });
});
