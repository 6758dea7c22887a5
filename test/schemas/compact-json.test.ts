import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isCompactJson } from '../../schemas/compact-json.js';
import { deliveredPayload } from '../../schemas/delivered-event.js';
import { Payload } from '../../schemas/payload.js';
import type { StoredMessage } from '../../schemas/record.js';
import { awkwardPayload } from '../support/awkward.js';
import { deepJsonText, jsonText } from '../support/json-text.js';

const bytesOf = (text: string): Buffer => Buffer.from(text);

/** Bytes with one of them changed, left out, or doubled. */
const damaged = fc
  .tuple(jsonText(), fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom('set', 'cut', 'twice'))
  .map(([text, place, byte, how]) => {
    const bytes = [...bytesOf(text)];
    const at = place % Math.max(1, bytes.length);
    if (how === 'set') bytes[at] = byte;
    else bytes.splice(at, how === 'cut' ? 1 : 0, ...(how === 'cut' ? [] : [bytes[at] ?? byte]));
    return Uint8Array.from(bytes);
  });

const anyPayload = fc.oneof(
  jsonText().map(bytesOf),
  deepJsonText(40).map(bytesOf),
  damaged,
  awkwardPayload(),
  fc.uint8Array({ maxLength: 12 }),
  // Signs of JSON in any order.
  fc.string({ unit: fc.constantFrom(...'{}[]:,"\\0-1.eE+tru '), maxLength: 12 }).map(bytesOf),
);

/** As programs write it, in ASCII. */
const written = fc
  .jsonValue({ maxDepth: 5 })
  .map((value) => JSON.stringify(value))
  .filter((text) => /^[ -~]*$/.test(text) && !text.includes('\\u'));

describe('compact JSON', () => {
  it('is JSON that is shown as it is, whatever the bytes are', () => {
    fc.assert(
      fc.property(anyPayload, (bytes) => {
        if (!isCompactJson(bytes)) return;
        const { form, json } = new Payload(bytes);
        assert.deepEqual([form, json], ['json', Buffer.from(bytes).toString()]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is what programs write, in ASCII and not deep', () => {
    fc.assert(fc.property(written, (text) => assert.ok(isCompactJson(bytesOf(text)), text)));
    for (const text of [
      '',
      '01',
      '1.',
      '-',
      '1e',
      '"\u0001"',
      '[1,]',
      '{"a"}',
      '{,}',
      '[',
      'tru',
      '1 ',
      '{"a":1,}',
    ])
      assert.equal(isCompactJson(bytesOf(text)), false, text);
  });
});

/** The same, by parsing all of it. */
const expected = ({ subject, seq, time, data }: StoredMessage, maxBytes: number): string => {
  const [, module, name, agent = null] = subject.split('.');
  const head = JSON.stringify({ event: `${module}.${name}`, agent, seq, time }).slice(0, -1);
  const whole = `${head},"data":${new Payload(data).json}}`;
  return Buffer.byteLength(whole) <= maxBytes ? whole : `${head},"tooLarge":${data.length}}`;
};

it('an event is delivered with the stored data, whatever they and its subject are', () => {
  const name = fc.oneof(fc.stringMatching(/^[A-Za-z0-9_-]{1,9}$/), fc.constantFrom('ü', '😀', '__proto__'));
  const subject = fc
    .tuple(name, name, fc.option(name, { nil: undefined }))
    .map(([module, event, agent]) =>
      ['evt', module, event, ...(agent === undefined ? [] : [agent])].join('.'),
    );
  fc.assert(
    fc.property(subject, anyPayload, fc.nat(2 ** 40), fc.integer({ min: 1, max: 200 }), (...made) => {
      const [text, data, seq, maxBytes] = made;
      const message = {
        subject: text,
        seq,
        time: '2026-11-30T00:00:00.000Z',
        data,
      } as unknown as StoredMessage;
      const sent = Buffer.from(deliveredPayload(message, maxBytes)).toString();
      assert.equal(sent, expected(message, maxBytes));
    }),
    { numRuns: 500 },
  );
});
