import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { isClientError } from '../../link/client-error.js';
import { dial } from '../../link/dial.js';
import { startServer } from '../support/server.js';
import { tempDir } from '../support/temp-dir.js';

const ACCOUNTS = 300;

const accounts = (round: number): string =>
  [
    'accounts {',
    ...Array.from(
      { length: ACCOUNTS },
      (_, i) =>
        `  A${i} { jetstream: enabled, users: [ { user: u${i}, password: p${i === 1 ? round : 0} } ] }`,
    ),
    '}',
  ].join('\n');

/**
 * Asks one thing after another until it is told to stop: how many had a reply, and what the others failed with. `lost` had neither
 * within 5 s. That happened once, on a busy machine. A client cannot tell it from a slow server, so the bridge promises nothing for it:
 * the caller has a deadline.
 */
const asking = (nc: NatsConnection) => {
  const failed: string[] = [];
  let lost = 0;
  let answered = 0;
  let isOver = false;
  const ended = (async () => {
    while (!isOver && !nc.isClosed()) {
      try {
        const reply = await nc.request('$JS.API.INFO', '', { timeout: 5_000 });
        assert.equal(reply.json<{ type: string }>().type, 'io.nats.jetstream.api.v1.account_info_response');
        answered += 1;
      } catch (thrown) {
        if (isClientError(thrown, 'TimeoutError')) lost += 1;
        else failed.push(String(thrown));
      }
    }
  })();
  return {
    end: async () => {
      isOver = true;
      await ended;
      return { answered, failed, lost };
    },
    failed,
  };
};

test('JetStream refuses no request while the server takes new accounts in', async (t) => {
  await using dir = tempDir();
  const include = join(dir.path, 'accounts.conf');
  writeFileSync(include, accounts(0));
  await using server = await startServer({ config: `include "../${basename(dir.path)}/accounts.conf"` });
  const credential = { servers: server.url, user: 'u0', pass: 'p0' };
  const ours = await dial({ ...credential, redialMs: 100 });
  const plain = await connect(credential);
  try {
    const [asked, askedPlainly] = [asking(ours), asking(plain)];
    // Until a client without the bridge has met the gap, so that there is one. On a busy machine it asks seldom.
    const until = performance.now() + 60_000;
    for (let round = 1; performance.now() < until && askedPlainly.failed.length < 5; round++) {
      writeFileSync(include, accounts(round));
      process.kill(server.pid, 'SIGHUP');
      await pause(30);
    }
    const [bridged, unbridged] = [await asked.end(), await askedPlainly.end()];
    assert.ok(unbridged.failed.length >= 5, 'the server was never without JetStream');
    t.diagnostic(`${bridged.answered} requests had a reply, ${bridged.lost} had none`);
    assert.deepEqual(bridged.failed, []);
    assert.ok(bridged.answered > 0);
  } finally {
    await Promise.all([ours.close(), plain.close()]);
  }
});
