import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { jetstream } from '@nats-io/jetstream';
import { headers } from 'nats';
import { millisOf, parseDelivery, toStored } from '../../journal/wire/stored-message.js';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage } from '../../schemas/record.js';
import { startServer } from '../support/server.js';
import { createLog, dial, read } from './read-log.js';

describe('a delivered message', () => {
  test('both forms of the acknowledgement subject are read', () => {
    const expected = { seq: 17, delivered: 4, nanos: '1700000000123456789', pending: 9 };
    assert.deepEqual(parseDelivery('$JS.ACK.LOG.c.1.17.4.1700000000123456789.9'), expected);
    assert.deepEqual(parseDelivery('$JS.ACK._.hash.LOG.c.1.17.4.1700000000123456789.9.rnd'), expected);
    assert.equal(parseDelivery('_INBOX.x'), undefined);
    assert.equal(parseDelivery(''), undefined);
  });

  test('a time is cut to milliseconds, not rounded', () => {
    assert.equal(millisOf('1700000000123999999'), Date.parse('2023-11-14T22:13:20.123Z'));
    assert.equal(millisOf('0'), 0);
  });

  test('a message of another consumer converts to the same', async () => {
    await using server = await startServer({ name: 'convert' });
    const nc = await dial(server);
    await createLog(nc);
    const h = headers();
    h.set(HEADER.cause, '5');
    await jetstream(nc).publish('res.m.x.a', '{}', { headers: h });
    const consumer = await jetstream(nc).consumers.get('LOG');
    const delivered = await consumer.next();
    assert.ok(delivered !== null);
    const stored = toStored(delivered);
    const [own] = await read(nc);
    const plain = (m: StoredMessage | undefined) => [
      m?.seq,
      m?.time,
      m?.subject,
      m?.header(HEADER.cause),
      m?.header('No'),
    ];
    assert.deepEqual(plain(stored), plain(own));
    assert.equal(stored.header(HEADER.cause), '5');
    await nc.close();
  });
});
