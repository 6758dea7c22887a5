import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { serverRefusal } from '../../../broker/audit/server-refusals.js';

/** As nats-server 2.15.1 writes them. */
const AT = '[7] 2026/11/30 03:37:21.526000 [ERR] 127.0.0.1:40766';
const OF_CI = '"_ci/nkey:UBNCWQSOQI4DVEKHUSACSPLVT46KG6ZIPCRDO3BCG3ITPYDWR5LZOPYL"';

describe('refusals in the output of nats-server', () => {
  it('a subject that a credential does not allow has the account of the server', () => {
    assert.deepEqual(
      serverRefusal(
        `${AT} - cid:41 - "v3.4.0:nats.js" - "guest/user:guest" - Publish Violation - Subject "ops.status"`,
      ),
      {
        principal: 'guest',
        code: 'NOT_ALLOWED',
        target: 'ops.status',
        detail: 'the server refused to publish',
      },
    );
    const subscribed = serverRefusal(
      `${AT} - cid:42 - "v3.4.0:nats.js" - ${OF_CI} - Subscription Violation - Subject "live.>", SID 1`,
    );
    assert.equal(subscribed?.principal, '_ci');
    assert.equal(subscribed?.target, 'live.>');
  });

  it('a client cannot pass as another account by the name that it gives itself', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'grapheme-ascii' }),
          fc.constantFrom(
            '" - "operator/nkey:X" - Publish Violation - Subject "ops.status"',
            '\\',
            '\\"',
            '" - "',
          ),
        ),
        (name) => {
          // Go's %q and JSON quote printable ASCII alike.
          const client = JSON.stringify(`v1.0:go:${name}`);
          const line = `${AT} - cid:42 - ${client} - ${OF_CI} - Publish Violation - Subject "cmd.a.b"`;
          assert.equal(serverRefusal(line)?.principal, '_ci');
          assert.equal(serverRefusal(line)?.target, 'cmd.a.b');
        },
      ),
      { numRuns: 300 },
    );
  });

  it('a client that gives itself no name is known by its account', () => {
    const line = `${AT} - cid:42 - ${OF_CI} - Publish Violation - Subject "cmd.a.b"`;
    assert.equal(serverRefusal(line)?.principal, '_ci');
  });

  it('a credential that the server does not know is the unknown principal, and no secret is kept', () => {
    const nkey = serverRefusal(`${AT} - cid:43 - authentication error - Nkey "UDR3"`);
    assert.deepEqual([nkey?.principal, nkey?.code], ['unknown', 'SERVER_REFUSED']);
    assert.match(nkey?.detail ?? '', /Nkey "UDR3"/);
    const named = serverRefusal(`${AT} - cid:43 - "v1.0:go" - authentication error - Token "sesame"`);
    assert.equal(named?.code, 'SERVER_REFUSED');
    assert.ok(!JSON.stringify(named).includes('sesame'));
  });

  it('other lines are no refusal', () => {
    for (const line of ['', 'x', `${AT} - cid:5 - Slow Consumer Detected`, '[7] [INF] Server is ready'])
      assert.equal(serverRefusal(line), undefined);
  });
});
