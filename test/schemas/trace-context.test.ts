import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isRight } from 'fp-ts/lib/Either.js';
import { parseTraceParent } from '../../schemas/trace-context.js';
import { prepared } from '../../modules/client/prepared.js';
import { traceSettings } from '../../schemas/trace-settings.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

const parsed = (traceparent: string, tracestate?: string) =>
  parseTraceParent((name) => (name === 'traceparent' ? traceparent : tracestate));

describe('a traceparent', () => {
  test('of this version or a later one is read', () => {
    assert.deepEqual(parsed(`00-${TRACE}-${SPAN}-01`, 'a=1'), {
      traceId: TRACE,
      spanId: SPAN,
      sampled: true,
      state: 'a=1',
    });
    assert.equal(parsed(`00-${TRACE}-${SPAN}-02`)?.sampled, false);
    assert.equal(parsed(`cc-${TRACE}-${SPAN}-01-more`)?.traceId, TRACE);
  });

  test('that breaks the specification has no effect', () => {
    for (const odd of [
      '',
      `00-${TRACE}-${SPAN}-01-more`,
      `ff-${TRACE}-${SPAN}-01`,
      `00-${'0'.repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      ` 00-${TRACE}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}`,
    ])
      assert.equal(parsed(odd), undefined, odd);
  });

  test('any text is read or has no effect, and what is read is a valid id', () => {
    const part = fc.oneof(fc.string(), fc.constantFrom('00', 'ff', '01', TRACE, SPAN, '0'.repeat(32)));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.string(), (parts, state) => {
        const found = parsed(parts.join('-'), state);
        if (found === undefined) return;
        assert.match(found.traceId, /^(?!0+$)[\da-f]{32}$/);
        assert.match(found.spanId, /^(?!0+$)[\da-f]{16}$/);
        assert.match(found.state, /^[\x20-\x7e]{0,512}$/);
      }),
    );
  });
});

describe('a call of a program', () => {
  const asked = { module: 'm', name: 'a', agent: undefined, data: {} };

  test('has the traceparent that it is given', () => {
    const found = prepared({ ...asked, traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'a=1' });
    assert.ok(isRight(found));
    assert.deepEqual(found.right.headers, { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'a=1' });
  });

  test('is refused before it is sent if the header cannot go over the wire', () => {
    for (const traceparent of ['a\r\nTally-Key: b', 'é', 'x'.repeat(2_000), 7 as never]) {
      const found = prepared({ ...asked, traceparent });
      assert.ok(!isRight(found) && found.left.code === 'HEADER_INVALID');
    }
  });
});

describe('the settings of traces', () => {
  const OTLP = 'OTEL_EXPORTER_OTLP_';

  test('nothing is exported without an endpoint, and where a variable turns it off', () => {
    for (const env of [
      {},
      { [`${OTLP}ENDPOINT`]: '' },
      { [`${OTLP}ENDPOINT`]: 'http://a:1', OTEL_SDK_DISABLED: 'true' },
      { [`${OTLP}ENDPOINT`]: 'http://a:1', OTEL_TRACES_EXPORTER: 'none' },
    ])
      assert.deepEqual(traceSettings(env), { settings: undefined, problems: [] });
  });

  test('the address gets its path, and a credential in it is not shown', () => {
    const { settings } = traceSettings({ [`${OTLP}ENDPOINT`]: 'https://me:pw@a:1/x/?k=v' });
    assert.equal(settings?.shownUrl.includes('pw'), false);
    assert.equal(settings?.headers.authorization, `Basic ${btoa('me:pw')}`);
    const own = traceSettings({
      [`${OTLP}TRACES_ENDPOINT`]: 'https://a:1/own?k=v',
      [`${OTLP}ENDPOINT`]: 'http://b',
    });
    assert.equal(own.settings?.url, 'https://a:1/own?k=v');
    assert.equal(own.settings?.shownUrl, 'https://a:1/own');
    assert.equal(traceSettings({ [`${OTLP}ENDPOINT`]: 'http://a:1/' }).settings?.url, 'http://a:1/v1/traces');
  });

  test('a value that cannot be used is told, and its secret is not', () => {
    for (const [name, value] of [
      [`${OTLP}ENDPOINT`, 'secret'],
      [`${OTLP}PROTOCOL`, 'grpc'],
      [`${OTLP}HEADERS`, 'secret'],
      [`${OTLP}HEADERS`, 'a=%zz,b c=secret,d=se%0acret'],
      [`${OTLP}TIMEOUT`, '0'],
      ['OTEL_TRACES_SAMPLER', 'secret'],
    ]) {
      const { problems } = traceSettings({ [`${OTLP}ENDPOINT`]: 'http://a:1', [name as string]: value });
      assert.ok(problems.length > 0, name);
      assert.ok(!problems.join().includes('secret'), name);
    }
  });

  test('any values give settings or nothing, and never an exception', () => {
    const names = ['ENDPOINT', 'TRACES_ENDPOINT', 'HEADERS', 'TIMEOUT', 'PROTOCOL'].map(
      (name) => OTLP + name,
    );
    const more = ['OTEL_RESOURCE_ATTRIBUTES', 'OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG'];
    const value = fc.oneof(fc.string(), fc.webUrl(), fc.constantFrom('a=b,c=%41', 'traceidratio', '0.5'));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names, ...more), value), (env) => {
        const { settings } = traceSettings(env);
        if (settings !== undefined) new Headers(settings.headers);
      }),
    );
  });
});
