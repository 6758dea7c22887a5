import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { connect, headers, type Msg, type NatsConnection } from 'nats';
import { linkState } from '../../link/link-state.js';
import { publishMessage } from '../../link/write-lane.js';
import { dial } from '../support/log.js';
import { startServer, type TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

const BLOCK = 'NATS/1.0\r\nTally-Id: m.1.1\r\nTally-Cause: 12\r\n\r\n';
const WIDE = 'NATS/1.0\r\nTally-Id: m.1.1\r\nName: Zoë 世界\r\n\r\n';

const kind = fc.constantFrom('lane', 'wide', 'silent', 'client', 'plain');
const messages = fc.array(fc.tuple(kind, fc.nat(3_000)), { minLength: 1, maxLength: 80 });

const shown = ({ subject, reply, data, headers: head }: Msg): string =>
  [
    subject,
    reply ?? '',
    data.length,
    Buffer.from(data).toString().slice(0, 12),
    head?.get('Name') ?? '',
  ].join(' ');

describe('writing straight into the bytes of a connection', () => {
  let server: TestServer;
  let listener: NatsConnection;
  let ours: NatsConnection;
  let foreign: NatsConnection;
  const heard: string[] = [];

  before(async () => {
    server = await startServer({ name: 'write-lane' });
    listener = await dial(server);
    listener.subscribe('lane.>', { callback: (_, msg) => void heard.push(shown(msg)) });
    await listener.flush();
    ours = await dial(server);
    foreign = await connect({ servers: server.url });
  });
  after(async () => {
    for (const nc of [listener, ours, foreign]) await nc?.close();
    await server?.[Symbol.asyncDispose]();
  });

  const send = (nc: NatsConnection, of: string, subject: string, payload: Buffer): void => {
    if (of === 'plain') nc.publish(subject, payload);
    else if (of === 'client') {
      const own = headers();
      own.set('Name', 'Zoë');
      nc.publish(subject, payload, { headers: own, reply: 'back.1' });
    } else {
      const reply = of === 'silent' ? '' : 'back.1';
      publishMessage(nc, { subject, reply, headers: of === 'wide' ? WIDE : BLOCK, payload });
    }
  };

  it('each message arrives once, whole and in order with what the client sends, from any connection', () =>
    fc.assert(
      fc.asyncProperty(messages, async (all) => {
        const told: string[][] = [];
        for (const nc of [ours, foreign]) {
          heard.length = 0;
          for (const [i, [of, length]] of all.entries())
            send(nc, of, `lane.${i}`, Buffer.alloc(length, `${i}|`));
          await nc.flush();
          await waitFor('all to arrive', () => heard.length === all.length);
          told.push([...heard]);
        }
        assert.deepEqual(told[0], told[1]);
        assert.deepEqual(
          heard.map((line) => line.split(' ')[0]),
          all.map((_, i) => `lane.${i}`),
        );
      }),
      { numRuns: 30 },
    ));

  it('our connection takes the lane: the client is asked to publish nothing', async () => {
    heard.length = 0;
    const published: string[] = [];
    const nc = await dial(server);
    const publish = nc.publish.bind(nc);
    nc.publish = (subject, ...rest) => {
      published.push(subject);
      publish(subject, ...rest);
    };
    send(nc, 'lane', 'lane.direct', Buffer.from('x'));
    await nc.flush();
    await waitFor('it to arrive', () => heard.length === 1);
    assert.deepEqual(published, []);
    await nc.close();
  });

  it('many megabytes in one turn arrive whole', async () => {
    heard.length = 0;
    const payload = Buffer.alloc(500_000, 'x');
    for (let i = 0; i < 40; i++) send(ours, i % 2 === 0 ? 'lane' : 'plain', `lane.${i}`, payload);
    await ours.flush();
    await waitFor('all to arrive', () => heard.length === 40);
    assert.ok(heard.every((line) => line.includes(' 500000 ')));
  });

  it('a subject that would end its line, and a connection that is closed, are refused as the client does', async () => {
    const nc = await dial(server);
    for (const subject of ['lane.a b', 'lane.a\r\nPUB lane.x 0', '']) {
      assert.throws(() => send(nc, 'lane', subject, Buffer.from('x')), /subject/i);
    }
    await nc.close();
    assert.throws(() => send(nc, 'lane', 'lane.a', Buffer.from('x')), /closed/i);
  });

  it('a connection that was lost and is up again takes the lane', async () => {
    heard.length = 0;
    const nc = await dial(server);
    const link = linkState(nc);
    const down = new Promise<void>((resolve) => link.onChange(() => resolve()));
    await nc.reconnect();
    await down;
    await waitFor('the connection to be up', () => link.isUp);
    send(nc, 'lane', 'lane.again', Buffer.from('1'));
    send(nc, 'plain', 'lane.again', Buffer.from('2'));
    await waitFor('both to arrive', () => heard.length === 2);
    assert.deepEqual(
      heard.map((line) => line.split(' ').slice(0, 3)),
      [
        ['lane.again', 'back.1', '1'],
        ['lane.again', '', '1'],
      ],
    );
    await nc.close();
  });
});
