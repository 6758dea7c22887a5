import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { isRight } from 'fp-ts/lib/Either.js';
import { headers, type NatsConnection } from 'nats';
import { Witness } from '../../../broker/log/witness.js';
import { readWitness } from '../../../broker/log/witness-file.js';
import { createLog, dial } from '../../support/log.js';
import { startServer, type TestServer } from '../../support/server.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { PATIENT } from '../../support/patient.js';

interface Scene extends AsyncDisposable {
  readonly server: TestServer;
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly dataDir: string;
  /** Sequences that the witness has written down. */
  readonly seen: () => readonly number[];
  readonly open: () => Witness;
}

/** `isPlain`: a log from which records can be taken. */
const scene = async ({ isPlain = false } = {}): Promise<Scene> => {
  const dir = tempDir();
  const server = await startServer();
  const nc = await dial(server);
  const jsm = await jetstreamManager(nc);
  if (isPlain) await jsm.streams.add({ name: 'LOG', subjects: ['cmd.>'] });
  else await createLog(nc);
  return {
    server,
    nc,
    jsm,
    dataDir: dir.path,
    seen: () => {
      const read = readWitness(dir.path);
      assert.ok(isRight(read));
      return (read.right?.marks ?? []).map(({ seq }) => seq);
    },
    open: () => new Witness({ nc, jsm, dataDir: dir.path, onTrouble: (text) => assert.fail(text) }),
    [Symbol.asyncDispose]: async () => {
      await nc.close();
      await server[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
};

const single = async (nc: NatsConnection): Promise<number> =>
  (await nc.request('cmd.m.a.x', '{}', PATIENT)).json<{ seq: number }>().seq;

/** An atomic batch of so many records; the sequence of the last one. */
const batch = async (nc: NatsConnection, id: string, size: number): Promise<number> => {
  for (let i = 1; i <= size; i++) {
    const h = headers();
    h.set('Nats-Batch-Id', id);
    h.set('Nats-Batch-Sequence', `${i}`);
    if (i < size) {
      nc.publish('cmd.m.a.x', '{}', { headers: h });
      continue;
    }
    h.set('Nats-Batch-Commit', '1');
    const reply = (await nc.request('cmd.m.a.x', '{}', { headers: h, timeout: 5_000 })).json<{
      seq: number;
      count: number;
    }>();
    assert.equal(reply.count, size);
    return reply.seq;
  }
  return 0;
};

describe('the witness of a log', () => {
  it('I9 counts on a batch, whose records are seen before they are written, only once it is behind', async () => {
    await using at = await scene();
    const witness = at.open();
    await witness.begin(await at.jsm.streams.info('LOG'));
    let position = await single(at.nc);
    let looks = 0;
    witness.watch({
      position: () => {
        looks += 1;
        return position;
      },
      onLoss: ({ message }) => assert.fail(message),
    });
    await waitFor('a single record', () => at.seen().at(-1) === 1);

    const first = await batch(at.nc, 'one', 3);
    position = first;
    witness.moved();
    // The second look from here on begins when the first one, which saw the batch, has ended.
    const before = looks;
    await waitFor('the witness to have looked at the batch', () => looks >= before + 2);
    assert.deepEqual(at.seen(), [1]);
    position = await batch(at.nc, 'two', 3);
    witness.moved();
    await waitFor('the batch that another one is behind', () => at.seen().at(-1) === first);
    assert.deepEqual(at.seen(), [1, first]);
    position = await single(at.nc);
    witness.moved();
    await waitFor('the next single record', () => at.seen().at(-1) === position);
    position = await batch(at.nc, 'four', 2);
    witness.moved();
    await waitFor('a batch that nothing comes behind', () => at.seen().at(-1) === position, 20_000);
    await witness.close();
  });

  it('I9 marks where the log stands when it is closed, and finds nothing wrong the next time', async () => {
    await using at = await scene();
    const info = await at.jsm.streams.info('LOG');
    for (let round = 0; round < 3; round++) {
      const witness = at.open();
      assert.equal(await witness.compare(await at.jsm.streams.info('LOG')), undefined);
      await witness.begin(info);
      const position = await single(at.nc);
      witness.watch({ position: () => position, onLoss: ({ message }) => assert.fail(message) });
      await witness.close();
      assert.equal(at.seen().at(-1), position);
    }
    assert.equal(at.seen().length, 3);
  });

  it('I9 misses a record that was taken out of the middle, and names the first', async () => {
    await using at = await scene({ isPlain: true });
    const info = await at.jsm.streams.info('LOG');
    const witness = at.open();
    await witness.begin(info);
    let position = 0;
    witness.watch({ position: () => position, onLoss: () => undefined });
    for (let i = 0; i < 3; i++) {
      position = await single(at.nc);
      witness.moved();
      await waitFor('the mark', () => at.seen().at(-1) === position);
    }
    await witness.close();
    await at.jsm.streams.deleteMessage('LOG', 2);
    const loss = await at.open().compare(await at.jsm.streams.info('LOG'));
    assert.deepEqual(
      { ...loss, message: '' },
      { code: 'LOG_DIFFERS', message: '', seenSeq: 3, lastSeq: 3, agreesTo: 1, gaps: [[2, 2]] },
    );
    assert.match(loss?.message ?? '', /the record at 2 is not there any more/);
  });

  it('I9 misses records of which it has no mark, names them all, and does not tell of them again', async () => {
    await using at = await scene({ isPlain: true });
    const look = () => at.jsm.streams.info('LOG');
    const first = at.open();
    await first.begin(await look());
    for (let i = 0; i < 9; i++) await single(at.nc);
    for (const seq of [1, 4, 5, 6]) await at.jsm.streams.deleteMessage('LOG', seq);
    const next = at.open();
    const loss = await next.compare(await look());
    assert.deepEqual(
      [loss?.code, loss?.gaps],
      [
        'LOG_DIFFERS',
        [
          [1, 1],
          [4, 6],
        ],
      ],
    );
    assert.match(loss?.message ?? '', /4 records are not there or cannot be read: 1, 4 to 6;/);
    await next.begin(await look(), loss);
    const third = at.open();
    assert.equal(await third.compare(await look()), undefined);
    // What a reader of the whole log does not meet is told only where it is not known, also to whoever comes next.
    third.watch({ position: () => 0, onLoss: () => undefined });
    assert.equal(await third.missed([[4, 6]]), undefined);
    await at.jsm.streams.deleteMessage('LOG', 8);
    assert.deepEqual((await third.missed([[8, 8]]))?.gaps, [[8, 8]]);
    await third.close();
    assert.deepEqual((await at.open().compare(await look()))?.gaps, [[8, 8]]);
  });

  it('I9 what a broker found while it ran is known to the next one, also where no mark was made yet', async () => {
    await using at = await scene();
    const info = await at.jsm.streams.info('LOG');
    await single(at.nc);
    const witness = at.open();
    await witness.begin(info);
    const told: string[] = [];
    // A server that came back with one record, where the broker had read ten.
    witness.watch({ position: () => 10, onLoss: ({ code }) => told.push(code) });
    assert.equal((await witness.recheck())?.seenSeq, 10);
    await witness.close();
    assert.deepEqual(told, ['LOG_SHORTENED']);
    const next = at.open();
    const found = await next.compare(info);
    assert.equal(found?.code, 'LOG_SHORTENED');
    await next.begin(info, found);
    assert.equal(await at.open().compare(await at.jsm.streams.info('LOG')), undefined);
  });
});
