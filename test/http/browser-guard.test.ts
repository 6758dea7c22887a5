import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { foreignPage, type Origins } from '../../http/requests/browser-guard.js';

const own: Origins = {
  isSecure: false,
  method: 'POST',
  host: '127.0.0.1:4280',
  origin: undefined,
  fetchSite: undefined,
  contentType: 'application/json',
};

/**
 * What a browser sends without a question, from any page: the safelisted content types of the Fetch standard, or none.
 */
const simple = fc.constantFrom(
  undefined,
  'text/plain',
  'text/plain; application/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
);
const name = fc.domain().filter((domain) => domain !== 'localhost');

describe('the guard against pages of other sites', () => {
  test('lets programs, and pages of the broker, ask and send', () => {
    for (const host of ['127.0.0.1:4280', 'localhost:4280', '[::1]:4280', 'LOCALHOST', '127.0.0.1'])
      assert.equal(foreignPage({ ...own, host }), undefined, host);
    assert.equal(
      foreignPage({ ...own, origin: 'http://127.0.0.1:4280', fetchSite: 'same-origin' }),
      undefined,
    );
    assert.equal(
      foreignPage({ ...own, method: 'GET', contentType: undefined, fetchSite: 'none' }),
      undefined,
    );
    assert.equal(foreignPage({ ...own, contentType: 'application/json; charset=utf-8' }), undefined);
  });

  test('no page of another site can send a request that changes something', () => {
    const page = fc.record({
      isSecure: fc.boolean(),
      method: fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE'),
      host: fc.constantFrom('127.0.0.1:4280', 'localhost:4280'),
      origin: fc.oneof(
        name.map((domain) => `http://${domain}`),
        fc.constantFrom('null', 'http://127.0.0.1:1'),
      ),
      fetchSite: fc.constantFrom('cross-site', 'same-site', undefined),
      contentType: fc.oneof(simple, fc.constant('application/json')),
    });
    fc.assert(fc.property(page, (request) => foreignPage(request) !== undefined));
    // A browser that tells neither the origin nor the site still asks first for anything but these.
    fc.assert(fc.property(simple, (contentType) => foreignPage({ ...own, contentType }) !== undefined));
  });

  test('a page whose name got the address of this machine is refused, also where it only reads', () => {
    fc.assert(
      fc.property(
        name,
        fc.constantFrom('GET', 'HEAD', 'POST'),
        fc.option(fc.nat(65_535)),
        (domain, method, port) => {
          const host = port === null ? domain : `${domain}:${port}`;
          assert.equal(foreignPage({ ...own, method, host })?.code, 'HTTP_FORBIDDEN');
        },
      ),
    );
    for (const host of [
      undefined,
      '',
      '127.0.0.1.evil.example',
      'localhost.evil.example:4280',
      '0.0.0.0:4280',
      '127.0.0.1@evil.example',
    ])
      assert.equal(foreignPage({ ...own, host })?.code, 'HTTP_FORBIDDEN', String(host));
  });

  test('with TLS, each name may be ours, and a page of another site is refused as before', () => {
    const secure = { ...own, isSecure: true, host: 'broker.example:8443' };
    assert.equal(foreignPage(secure), undefined);
    assert.equal(foreignPage({ ...secure, origin: 'https://broker.example:8443' }), undefined);
    for (const origin of [
      'http://broker.example:8443',
      'https://broker.example',
      'https://evil.example',
      'null',
    ])
      assert.equal(foreignPage({ ...secure, origin })?.code, 'HTTP_FORBIDDEN', origin);
    assert.equal(foreignPage({ ...secure, fetchSite: 'cross-site' })?.code, 'HTTP_FORBIDDEN');
    assert.equal(foreignPage({ ...secure, contentType: 'text/plain' })?.code, 'HTTP_INVALID');
  });
});
