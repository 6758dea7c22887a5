import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bodyForCaller, promisedCopies } from '../../schemas/result-bytes.js';
import { deepJsonText, jsonText, resultText } from '../support/json-text.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => Buffer.from(data).toString();

const subject = fc.constantFrom('evt.m.happened.a', 'cmd.other.act', 'evt.m."quoted".ü', 'cmd.x.y\nz');

describe('the bytes of a result', () => {
  it('I4 what it promises is what JSON.parse finds there, as slices of it', () => {
    fc.assert(
      fc.property(resultText(subject), (result) => {
        const parsed = JSON.parse(result.text) as { out: { subject: string; data: unknown }[] };
        const copies = promisedCopies(bytes(result.text));
        assert.deepEqual(
          copies.map(({ subject, data }) => ({ subject, data: text(data) })),
          result.out.map(({ subject, data }) => ({ subject, data })),
        );
        assert.deepEqual(
          copies.map(({ subject, data }) => ({ subject, data: JSON.parse(text(data)) })),
          parsed.out.map(({ subject, data }) => ({ subject, data })),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it('its caller gets the bytes of its data, or all of it where it promises nothing', () => {
    fc.assert(
      fc.property(resultText(subject), jsonText(), (result, data) => {
        assert.equal(text(bodyForCaller(bytes(result.text))), `{"status":"ok","data":${result.data}}`);
        const alone = ` {"data":${data}, "status":"ok"}`;
        assert.equal(text(bodyForCaller(bytes(alone))), alone);
      }),
      { numRuns: 500 },
    );
    assert.equal(text(bodyForCaller(bytes('{"status":"ok","out":[]}'))), '{"status":"ok"}');
  });

  it('depth and size do not matter: what JSON.parse takes is read', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const body = `{"status":"ok","data":${deep},"out":[{"subject":"evt.m.a","data":${deep}}]}`;
    const [copy] = promisedCopies(bytes(body));
    assert.ok(text(copy?.data ?? bytes('')) === deep);
    fc.assert(
      fc.property(resultText(subject, deepJsonText(500)), (result) => {
        assert.deepEqual(
          promisedCopies(bytes(result.text)).map(({ data }) => text(data)),
          result.out.map(({ data }) => data),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('a byte order mark and bytes that are no UTF-8 are passed on', () => {
    const out = [
      ...bytes('\ufeff{"status":"ok","data":1,"out":[{"subject":"evt.m.a","data":"'),
      0xff,
      0xc3,
      ...bytes('"}]}'),
    ];
    const [copy] = promisedCopies(Uint8Array.from(out));
    assert.deepEqual([...(copy?.data ?? [])], [34, 0xff, 0xc3, 34]);
  });

  it('what is no result, or not ok, promises nothing', () => {
    for (const body of [
      '',
      'null',
      '[]',
      '"out"',
      '{"out":[{"subject":"evt.m.a","data":1}]}',
      '{"status":"failed","out":[{"subject":"evt.m.a","data":1}]}',
      '{"status":"ok","status":"failed","out":[{"subject":"evt.m.a","data":1}]}',
      '{"status":"ok","out":[{"subject":"evt.m.a","data":1}],"out":7}',
      '{"status":"ok","out":[{"subject":"evt.m.a","data":1},{"subject":"evt.m.a"}]}',
      '{"status":"ok","out":[{"subject":"res.m.a","data":1}]}',
      '{"status":"ok","out":[{"subject":"evt.m.a","data":1}]',
    ]) {
      assert.deepEqual(promisedCopies(bytes(body)), [], body);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), (some, at) => {
        const body = bytes('{"status":"ok","out":[{"subject":"evt.m.a","data":{"a":"b"}}]}');
        body.set(some.subarray(0, body.length - at), at);
        promisedCopies(body);
      }),
    );
  });
});
