import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { jetstream } from '@nats-io/jetstream';
import { headers, type Msg, type NatsConnection } from 'nats';
import { LiveFeed } from '../../../broker/live/live-feed.js';
import { SubjectSet } from '../../../broker/live/subject-set.js';
import { fillLog } from '../../support/fill-log.js';
import { createLog, dial } from '../../support/log.js';
import { startServer, type TestServer } from '../../support/server.js';
import { startReader } from '../../support/start-reader.js';
import { waitFor } from '../../support/wait-for.js';
import { PATIENT } from '../../support/patient.js';

/** Who listens, as the test says it. A look ends when the test lets it. */
class Interest {
  looks: { resolve: (wanted: SubjectSet) => void; reject: (reason: Error) => void }[] = [];

  look(): Promise<SubjectSet> {
    return new Promise((resolve, reject) => this.looks.push({ resolve, reject }));
  }

  async answer(wanted: SubjectSet | Error): Promise<void> {
    const look = await waitFor('a look', () => this.looks.shift());
    if (wanted instanceof Error) look.reject(wanted);
    else look.resolve(wanted);
  }
}

describe('the feed of live.…', () => {
  let server: TestServer;
  let nc: NatsConnection;
  let listener: NatsConnection;
  let stored = 0;

  before(async () => {
    server = await startServer({ name: 'live-feed', syncInterval: '2m' });
    nc = await dial(server);
    listener = await dial(server);
    await createLog(nc);
  });

  after(async () => {
    await Promise.all([nc?.close(), listener?.close()]);
    await server?.[Symbol.asyncDispose]();
  });

  const store = async (subject: string, data: string | Uint8Array = '{}', names = {}): Promise<number> => {
    const h = headers();
    for (const [name, value] of Object.entries<string>(names)) h.set(name, value);
    stored = (await jetstream(nc).publish(subject, data, { headers: h })).seq;
    return stored;
  };

  /** A feed from now on, and all that it publishes. */
  const open = async () => {
    const interest = new Interest();
    const heard: Msg[] = [];
    let read = stored;
    const subscription = listener.subscribe('live.>', { callback: (_, msg) => void heard.push(msg) });
    await listener.flush();
    const reader = startReader(nc, stored, ({ message }) => assert.fail(message));
    const feed = new LiveFeed({ nc, reader, interest, after: stored, say: assert.fail });
    reader.on('records', (records) => {
      read = records.at(-1)?.seq ?? read;
    });
    return {
      interest,
      heard,
      seqs: () => heard.map((msg) => Number(msg.headers?.get('Nats-Sequence'))),
      /** All that is stored was read, and what the feed published for that is here. */
      settled: async () => {
        await waitFor('the reader to have all', () => read === stored);
        await nc.flush();
        await listener.flush();
      },
      close: async () => {
        feed.close();
        await reader.close();
        subscription.unsubscribe();
      },
    };
  };

  it('publishes nothing that nobody listens to', async () => {
    const { interest, heard, settled, close } = await open();
    await store('evt.m.happened.x');
    await settled();
    await interest.answer(new SubjectSet(['evt.other.>']));
    await store('res.m.a.x');
    await settled();
    assert.deepEqual(heard, []);
    await close();
  });

  it('holds what is stored until the server tells who listens, and then publishes that', async () => {
    const { interest, heard, seqs, settled, close } = await open();
    const first = await store('evt.m.happened.x');
    await store('res.m.a.x');
    const third = await store('evt.m.happened.y');
    await settled();
    assert.deepEqual(heard, []);
    await interest.answer(new SubjectSet(['evt.>']));
    await waitFor('two records', () => heard.length === 2);
    assert.deepEqual(seqs(), [first, third]);
    // From here on it is known: no look is needed.
    const fourth = await store('evt.m.happened.z');
    await waitFor('the third record', () => heard.length === 3);
    assert.deepEqual(seqs(), [first, third, fourth]);
    await close();
  });

  it('gives an old listener nothing twice when a new one comes, and the new one what the old one did not want', async () => {
    const { interest, seqs, settled, close } = await open();
    const event = await store('evt.m.happened.x');
    await interest.answer(new SubjectSet(['evt.>']));
    await waitFor('the event', () => seqs().length === 1);
    const later = await store('evt.m.happened.y');
    const result = await store('res.m.a.x');
    await settled();
    assert.deepEqual(seqs(), [event, later]);
    await interest.answer(new SubjectSet(['evt.>', '>']));
    await waitFor('the result', () => seqs().length === 3);
    assert.deepEqual(seqs(), [event, later, result]);
    await close();
  });

  it('keeps for the next look what came during this one', async () => {
    const { interest, seqs, settled, close } = await open();
    await store('evt.m.happened.x');
    await waitFor('a look', () => interest.looks.length === 1);
    // Nobody knows whether the look that is under way has seen a listener of this one.
    const during = await store('res.m.a.x');
    await settled();
    await interest.answer(SubjectSet.none);
    await interest.answer(new SubjectSet(['res.>']));
    await waitFor('the result', () => seqs().length === 1);
    assert.deepEqual(seqs(), [during]);
    await close();
  });

  it('asks again when the server did not tell, and loses nothing meanwhile', async () => {
    const { interest, seqs, close } = await open();
    const first = await store('evt.m.happened.x');
    await interest.answer(new Error('no answer'));
    await interest.answer(new Error('no answer'));
    await interest.answer(SubjectSet.all);
    await waitFor('the event', () => seqs().length === 1);
    assert.deepEqual(seqs(), [first]);
    await close();
  });

  it('does not wait for its next look when much waits', async () => {
    const { interest, settled, close } = await open();
    await store('evt.m.happened.x');
    const begun = await waitFor('a look', () => interest.looks.length === 1 && performance.now());
    // The look after one of two seconds comes 40 s later: longer than this test waits for it.
    await waitFor('a slow look', () => performance.now() - begun > 2_000);
    await interest.answer(SubjectSet.none);
    await store('evt.m.happened.x');
    await settled();
    assert.equal(interest.looks.length, 0);
    await fillLog(nc, 8_000, (i) => `evt.m.happened.n${i % 7}`);
    stored += 8_000;
    await settled();
    assert.equal(interest.looks.length, 1);
    await interest.answer(SubjectSet.none);
    await close();
  });

  it('publishes the oldest unasked when too many wait, each once and in order', async () => {
    const { interest, seqs, settled, close } = await open();
    const from = stored + 1;
    const count = 40_000;
    await fillLog(nc, count, (i) => `evt.m.happened.n${i % 7}`);
    stored += count;
    await settled();
    await waitFor('what had no room', () => seqs().length >= count - 32_768);
    assert.ok(seqs().length < count, `${seqs().length}`);
    await interest.answer(SubjectSet.all);
    await waitFor('all', () => seqs().length === count, 30_000);
    assert.deepEqual(
      seqs(),
      Array.from({ length: count }, (_, i) => from + i),
    );
    await close();
  });

  it('sends the record as it is stored, with the headers that tell its place last', async () => {
    const { interest, heard, close } = await open();
    const seq = await store('evt.m.happened.x', '{"a": 1.0}', { 'Tally-Id': 'm.1.1', 'Nats-Sequence': '7' });
    await interest.answer(SubjectSet.all);
    await waitFor('the event', () => heard.length === 1);
    const [message] = heard;
    assert.equal(message?.subject, 'live.evt.m.happened.x');
    assert.equal(message?.string(), '{"a": 1.0}');
    const all = message?.headers;
    assert.equal(all?.get('Tally-Id'), 'm.1.1');
    assert.deepEqual(all?.values('Nats-Sequence'), ['7', String(seq)]);
    assert.equal(all?.get('Nats-Stream'), 'LOG');
    assert.equal(all?.get('Nats-Subject'), 'evt.m.happened.x');
    const asked = await nc.request('$JS.API.DIRECT.GET.LOG', JSON.stringify({ seq }), PATIENT);
    const exact = (time = ''): string => time.replace(/\.?0*Z$/, 'Z');
    assert.equal(exact(all?.get('Nats-Time-Stamp')), exact(asked.headers?.get('Nats-Time-Stamp')));
    await close();
  });

  it('leaves a payload out that has no room next to these headers, and tells its size', async () => {
    const { interest, heard, close } = await open();
    const payload = new Uint8Array(1_048_576 - 100).fill(120);
    const seq = await store('evt.m.happened.x', payload);
    await interest.answer(SubjectSet.all);
    await waitFor('the event', () => heard.length === 1);
    const [message] = heard;
    assert.equal(message?.data.length, 0);
    assert.equal(message?.headers?.get('Nats-Msg-Size'), String(payload.length));
    assert.equal(message?.headers?.get('Nats-Sequence'), String(seq));
    assert.equal(nc.isClosed(), false);
    await close();
  });
});
