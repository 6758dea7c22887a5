import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { connect, headers as makeHeaders, type Msg, MsgHdrsImpl } from 'nats';
import { dial } from '../../link/dial.js';
import { headerOf, MessageHeaders } from '../../link/message-headers.js';
import { HEADER } from '../../schemas/headers.js';
import { headerBlock, rawHeaders } from '../support/awkward.js';
import { startServer } from '../support/server.js';

const NAMES = [HEADER.cause, HEADER.id];
/** A connection that is deaf is found silent after 15 s at the soonest; one that is only slow answers long before. */
const NOT_DEAF_MS = 8_000;
/** What the client takes for 100,000 lines, at 2.3 s for 20,000. */
const SQUARE_MS = 57_000;

const bytesOf = (headers: object): Uint8Array => (headers as { encode(): Uint8Array }).encode();

describe('the headers of a message', () => {
  it('are read without an exception, whatever bytes they are', () => {
    fc.assert(
      fc.property(headerBlock(NAMES), (block) => {
        const headers = new MessageHeaders(block);
        for (const name of NAMES) {
          assert.equal(typeof headers.get(name), 'string');
          assert.equal(typeof headers.last(name), 'string');
        }
        assert.equal(typeof headers.description, 'string');
        assert.ok(Number.isInteger(headers.code));
        for (const [name, values] of headers) assert.ok(name.length * values.length > 0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are those that the client reads, where it can read them', () => {
    const name = fc.stringMatching(/^[!-9;-~]{1,12}$/);
    const value = fc.stringMatching(/^[ -~]{0,12}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), (lines) => {
        const theirs = makeHeaders();
        for (const [key, text] of lines) theirs.append(key, text);
        const ours = new MessageHeaders(bytesOf(theirs));
        assert.deepEqual(ours.keys(), theirs.keys());
        for (const key of theirs.keys()) {
          assert.equal(ours.get(key), theirs.get(key));
          assert.equal(ours.last(key), theirs.last(key));
          assert.deepEqual(ours.values(key), theirs.values(key));
          assert.ok(ours.has(key));
        }
      }),
    );
    for (const status of [
      'NATS/1.0 503',
      'NATS/1.0 404 Message Not Found',
      'NATS/1.0 100 Idle Heartbeat',
      'NATS/1.0',
    ]) {
      const block = Buffer.from(`${status}\r\n\r\n`);
      const [ours, theirs] = [new MessageHeaders(block), MsgHdrsImpl.decode(block)];
      assert.equal(ours.code, theirs.code);
      assert.equal(ours.description, theirs.description);
    }
  });

  it('of 100,000 names are read one by one, where what the client does grows with the square of their number', () => {
    const lines = Array.from({ length: 100_000 }, (_, i) => `h${i}: 1`);
    const headers = new MessageHeaders(Buffer.from(`NATS/1.0\r\n${lines.join('\r\n')}\r\n\r\n`));
    const begun = performance.now();
    assert.equal(headers.get('h99999'), '1');
    assert.equal(headers.keys().length, 100_000);
    assert.ok(performance.now() - begun < SQUARE_MS / 3, 'it grows with the square of their number');
  });
});

describe('a connection that is dialled', () => {
  it('hears the next message, whatever headers came before, and whatever a callback threw', async () => {
    await using server = await startServer();
    const nc = await dial({ servers: server.url, redialMs: 100, onThrown: () => undefined });
    const other = await connect({ servers: server.url });
    try {
      nc.subscribe('asked', {
        callback: (_, message) => {
          message.respond(headerOf(message, HEADER.cause) ?? 'none');
        },
      });
      nc.subscribe('thrown', {
        callback: () => {
          throw new Error('a bug');
        },
      });
      // Whoever answers the dialled side with bad headers and nothing else meets the client's own look for a 503.
      const answers: Uint8Array[] = [];
      other.subscribe('bad-answer', {
        callback: (_, message) => {
          message.respond('', { headers: rawHeaders(answers.pop() as Uint8Array) });
        },
      });
      await Promise.all([nc.flush(), other.flush()]);
      await fc.assert(
        fc.asyncProperty(headerBlock(NAMES), async (block) => {
          const headers = rawHeaders(block);
          other.publish('asked', '', { headers, reply: 'nobody' });
          other.publish('thrown', '', { headers });
          answers.push(block);
          await nc.request('bad-answer', '', { timeout: NOT_DEAF_MS }).catch((error: unknown) => {
            // A block that says 503 is that answer.
            assert.ok(/no responders/i.test((error as Error).message), String(error));
          });
          const good = makeHeaders();
          good.set(HEADER.cause, '7');
          const answer: Msg = await other.request('asked', '', { headers: good, timeout: NOT_DEAF_MS });
          assert.equal(answer.string(), '7');
        }),
        { numRuns: 200 },
      );
    } finally {
      await Promise.all([nc.close(), other.close()]);
    }
  });
});
