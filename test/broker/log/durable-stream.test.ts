import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { ensureLog, logConfig } from '../../../broker/streams/log-stream.js';
import { failure, success } from '../../support/either.js';
import { dial } from '../../support/log.js';
import { natsCli } from '../../support/nats-cli.js';
import { startServer, type TestServer } from '../../support/server.js';

const MIB = 1024 * 1024;
const OPTIONS = { defaultMaxBytes: 64 * MIB };

/** A stream as the broker makes it, but for these settings. */
const spoilt = (settings: object) =>
  ({ ...logConfig(64 * MIB), deny_purge: false, ...settings }) as ReturnType<typeof logConfig>;

/** Each setting that loses records, what it is then, and whether the stock command line can put it right. */
const SPOILT: readonly (readonly [string, object, string])[] = [
  ['storage', { storage: 'memory' }, '"memory"'],
  ['persist_mode', { persist_mode: 'async', allow_atomic: false, allow_batched: false }, '"async"'],
  ['no_ack', { no_ack: true, allow_atomic: false, allow_batched: false }, 'true'],
  ['discard', { discard: 'old' }, '"old"'],
  ['discard_new_per_subject', { discard_new_per_subject: true, max_msgs_per_subject: 10 }, 'true'],
  ['retention', { retention: 'workqueue' }, '"workqueue"'],
  ['retention', { retention: 'interest' }, '"interest"'],
  ['max_age', { max_age: 3_600_000_000_000 }, '3600000000000'],
  ['max_msgs', { max_msgs: 1_000 }, '1000'],
  ['max_msgs_per_subject', { max_msgs_per_subject: 5 }, '5'],
  ['allow_msg_ttl', { allow_msg_ttl: true }, 'true'],
  ['allow_rollup_hdrs', { allow_rollup_hdrs: true }, 'true'],
  ['allow_msg_schedules', { allow_msg_schedules: true, discard: 'old' }, 'true'],
  ['mirror', { mirror: { name: 'OTHER' }, subjects: [], allow_atomic: false, allow_batched: false }, '\\{'],
  ['subject_transform', { subject_transform: { src: 'cmd.>', dest: 'evt.>' } }, '\\{'],
];

describe('a stream LOG that would lose what it acknowledged', () => {
  let server: TestServer;
  let nc: NatsConnection;
  let jsm: JetStreamManager;
  before(async () => {
    server = await startServer();
    nc = await dial(server);
    jsm = await jetstreamManager(nc);
    await jsm.streams.add({ name: 'OTHER', subjects: ['other'] });
  });
  after(async () => {
    await nc?.close();
    await server?.[Symbol.asyncDispose]();
  });

  for (const [setting, settings, is] of SPOILT) {
    it(`I1 is refused with its setting ${setting} ${is}, and with how to put it right`, async () => {
      await jsm.streams.add(spoilt(settings));
      try {
        const { code, message } = failure(await ensureLog(jsm, OPTIONS)());
        assert.equal(code, 'LOG_MISMATCH');
        const found = new RegExp(`${setting} is ${is}.*?, needed (\\S+), otherwise [^;]+; (.*?)(?:; and |$)`);
        const [, needed, how = ''] = found.exec(message) ?? [];
        assert.ok(needed, message);
        const [, command] = /`nats (stream edit .*?)`/.exec(how) ?? [];
        if (command === undefined) {
          assert.match(how, /`nats stream edit` cannot change it.*`nats stream backup`/);
          return;
        }
        const edited = await natsCli([...command.split(' '), '--force'], { url: server.url });
        assert.equal(edited.code, 0, `${command}\n${edited.stdout}${edited.stderr}`);
        const after = await ensureLog(jsm, OPTIONS)();
        // What else was spoilt to make the server take the setting may still be named.
        if (after._tag === 'Left')
          assert.ok(!after.left.message.includes(`${setting} is`), after.left.message);
      } finally {
        await jsm.streams.delete('LOG');
      }
    });
  }

  it('I1 is refused when it is sealed', async () => {
    success(await ensureLog(jsm, OPTIONS)());
    const { config } = await jsm.streams.info('LOG');
    // The client's types leave it out of what an update may say.
    await jsm.streams.update('LOG', { ...config, sealed: true } as Parameters<typeof jsm.streams.update>[1]);
    const { code, message } = failure(await ensureLog(jsm, OPTIONS)());
    assert.equal(code, 'LOG_MISMATCH');
    assert.match(message, /sealed is true, needed false/);
    await jsm.streams.delete('LOG');
  });

  it('names every setting when there are several', async () => {
    await jsm.streams.add(spoilt({ discard: 'old', max_msgs: 7 }));
    const { message } = failure(await ensureLog(jsm, OPTIONS)());
    assert.match(message, /discard is "old".*; and max_msgs is 7/);
    await jsm.streams.delete('LOG');
  });

  it('as the broker itself makes it is well, also when it is there already', async () => {
    for (const time of ['first', 'second']) {
      const { updated } = success(await ensureLog(jsm, OPTIONS)());
      assert.deepEqual(updated, [], time);
    }
    await jsm.streams.delete('LOG');
  });

  it('says which setting of the server leaves no room for the log', async () => {
    await using small = await startServer({ jetstream: 'max_file_store: 20MB' });
    const connection = await dial(small);
    const { code, message } = failure(await ensureLog(await jetstreamManager(connection), OPTIONS)());
    assert.equal(code, 'LOG_MISMATCH');
    assert.match(message, /max_file_store .*67108864 bytes.*--max-bytes/);
    await connection.close();
  });
});
