import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { jetstream } from '@nats-io/jetstream';
import { headers, type NatsConnection } from 'nats';
import { openIndexToRead, indexPosition } from '../../../store/log-index/index-files.js';
import { LogIndex } from '../../../broker/index/log-index.js';
import { Opening } from '../../../store/lmdb/opening.js';
import type { Fault } from '../../../schemas/errors.js';
import { HEADER } from '../../../schemas/headers.js';
import { putIntoIndex } from '../../support/index-files.js';
import { createLog, dial } from '../../support/log.js';
import { startServer, type TestServer } from '../../support/server.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { startReader } from '../../support/start-reader.js';

describe('the index of the log', () => {
  let server: TestServer;
  let nc: NatsConnection;
  let lastSeq = 0;

  before(async () => {
    server = await startServer({ name: 'index', syncInterval: '2m' });
    nc = await dial(server);
    await createLog(nc);
  });

  after(async () => {
    await nc.close();
    await server[Symbol.asyncDispose]();
  });

  const publish = async (
    subject: string,
    cause?: number,
    more: Readonly<Record<string, string>> = {},
  ): Promise<number> => {
    const h = headers();
    for (const [name, value] of Object.entries(more)) h.set(name, value);
    if (cause !== undefined) h.set(HEADER.cause, String(cause));
    const { seq } = await jetstream(nc).publish(subject, '{}', { headers: h });
    lastSeq = seq;
    return seq;
  };

  const openIndex = async (
    dir: string,
    logId = 'this log',
    last = lastSeq,
    onLost: (fault: Fault) => void = ({ message }) => assert.fail(message),
  ) => {
    const seen = {
      caughtUp: undefined as readonly number[] | undefined,
      commands: [] as number[],
      results: [] as number[],
      faults: [] as string[],
    };
    const index: LogIndex = new LogIndex({
      nc,
      reader: startReader(nc, last, onLost),
      dir,
      logId,
      lastSeq: last,
      say: (text) => seen.faults.push(text),
      onLost,
    });
    index.on('caughtUp', () => {
      seen.caughtUp = index.commands.page(0, 1_000).map(({ seq }) => seq);
    });
    index.on('command', ({ seq }) => seen.commands.push(seq));
    index.on('result', ({ seq }) => seen.results.push(seq));
    await index.start();
    return { index, seen };
  };

  test('I5 it has caught up, and knows what was open, before it tells of a command that comes later', async () => {
    await using dir = tempDir();
    const open = [await publish('cmd.m.a.early.guest'), await publish('cmd.m.a.early.guest')];
    const at = lastSeq;
    const later = await publish('cmd.m.a.early.guest');
    const { index, seen } = await openIndex(dir.path, 'this log', at);
    await waitFor('the later one', () => seen.commands.includes(later));
    assert.deepEqual(seen.commands, [later]);
    assert.deepEqual(seen.caughtUp, open);
    for (const seq of [...open, later]) await publish('res.m.a.early', seq);
    await index.close();
  });

  test('a listener that throws keeps the news from no other, and the index is lost: nobody knows what was left undone', async () => {
    await using dir = tempDir();
    const lost: Fault[] = [];
    const { index, seen } = await openIndex(dir.path, 'this log', lastSeq, (fault) => lost.push(fault));
    index.on('command', () => {
      throw new Error('a bug');
    });
    const heard: number[] = [];
    index.on('command', ({ seq }) => heard.push(seq));
    const [first, second] = [await publish('cmd.m.a.thrown.guest'), await publish('cmd.m.a.thrown.guest')];
    await waitFor('the index to be lost', () => lost.length > 0);
    assert.deepEqual([seen.commands, heard], [[first], [first]]);
    assert.match(lost[0]?.message ?? '', /a bug/);
    assert.match(seen.faults.join(), /a listener for "command" threw: Error: a bug/);
    await index.close();
    for (const seq of [first, second]) await publish('res.m.a.thrown', seq);
  });

  test('it goes on where it was, and knows agents and open commands as if it had read all', async () => {
    await using dir = tempDir();
    const answered = await publish('cmd.m.a.x.guest');
    await publish('res.m.a.x', answered);
    await publish('evt.m.happened.x', answered);
    const open = await publish('cmd.m.a.y.guest');
    const first = await openIndex(dir.path);
    assert.equal(first.index.agents, 1);
    assert.equal(first.index.commands.size, 1);
    assert.equal(first.index.recentResult(answered), answered + 1);
    await first.index.close();

    const later = await publish('evt.m.happened.z');
    const second = await openIndex(dir.path);
    assert.equal(second.index.discarded, false);
    assert.equal(second.index.agents, 2);
    assert.equal(second.index.commands.lowestOf('m'), open);
    await second.index.reached(later);
    const live = await publish('cmd.m.a.x.guest');
    await waitFor('the live command', () => second.seen.commands.includes(live));
    assert.deepEqual([second.seen.caughtUp, second.seen.commands], [[open], [live]]);
    await publish('res.m.a.x', live);
    await waitFor('its result', () => second.seen.results.includes(live));
    await second.index.close();
  });

  test('I9 what stands ahead of the log, or is of another one, is thrown away and read anew', async () => {
    await using dir = tempDir();
    const { index } = await openIndex(dir.path);
    await index.close();
    const other = await openIndex(dir.path, 'another log');
    assert.equal(other.index.discarded, true);
    await other.index.close();
    const rewound = await openIndex(dir.path, 'another log', 1);
    assert.equal(rewound.index.discarded, true);
    await rewound.index.reached(lastSeq);
    assert.equal(rewound.index.agents, index.agents);
    await rewound.index.close();
  });

  test('I1 what schedules have sent and who redrives what is in the log: an index without files finds it again', async () => {
    await using kept = tempDir();
    await using empty = tempDir();
    const next = '2030-01-01T00:00:00.000Z';
    const fired = await publish('cmd.m.a.x.guest', undefined, {
      [HEADER.id]: 'scheduler.1.1',
      [HEADER.schedule]: 'daily',
      [HEADER.next]: next,
    });
    await publish('res.m.a.x', fired);
    const redrive = await publish('cmd.m.a.x.guest', undefined, {
      [HEADER.redrives]: '17',
      [HEADER.id]: 'gateway.1.1',
    });
    const answer = await publish('res.m.a.x', redrive);
    const found = async (dir: string) => {
      const { index } = await openIndex(dir);
      const { redrives, agents } = index;
      const facts = [
        index.lastFiring('guest/daily'),
        redrives.of(17),
        redrives.resultOf(redrive),
        agents,
        index.commands.size,
        index.conversations.size,
      ];
      await index.close();
      return facts;
    };
    const first = await found(kept.path);
    assert.deepEqual(first.slice(0, 3), [Date.parse(next), [redrive], answer]);
    assert.deepEqual(await found(kept.path), first, 'with files, which say that all before is done');
    assert.deepEqual(await found(empty.path), first, 'without');
  });

  test('a damaged index is kept aside, told of, and read anew', async () => {
    await using dir = tempDir();
    const path = join(dir.path, 'index');
    const { index } = await openIndex(path);
    await index.close();
    writeFileSync(join(path, 'data.mdb'), 'this is no database'.repeat(1_000));
    const mended = await openIndex(path);
    assert.equal(mended.index.agents, index.agents);
    assert.match(mended.seen.faults.join(), /damaged/);
    assert.equal(readdirSync(dir.path).length, 2);
    await mended.index.close();
  });

  test('an index of an earlier version is told of, and read anew', async () => {
    await using dir = tempDir();
    const { index } = await openIndex(dir.path);
    await index.close();
    await putIntoIndex(dir.path, 'position', { logId: 'this log', seq: lastSeq, resumeFrom: lastSeq + 1 });
    const anew = await openIndex(dir.path);
    assert.equal(anew.index.discarded, false);
    assert.match(anew.seen.faults.join(), /of another version, or damaged, and is read from the log again/);
    assert.equal(anew.index.agents, index.agents);
    await anew.index.close();
    const next = await openIndex(dir.path);
    assert.deepEqual(next.seen.faults, []);
    await next.index.close();
  });

  test('it knows where events lie that nothing caused, also after a restart', async () => {
    await using dir = tempDir();
    const cause = await publish('cmd.m.a.x.guest');
    await publish('res.m.a.x', cause);
    await publish('evt.caused.happened.x', cause);
    const first = await publish('evt.own.happened');
    await publish('evt.own.happened.x');
    const { index } = await openIndex(dir.path);
    await index.close();
    const last = await publish('evt.own.happened.y');
    await publish('evt.own.happened', cause);
    const again = await openIndex(dir.path);
    await again.index.close();
    const opening = new Opening(dir.path);
    const files = openIndexToRead(opening, dir.path);
    const found = indexPosition(files);
    await files.root.close();
    await opening.close();
    assert.ok(typeof found === 'object');
    const ours = found.uncaused.filter(([module]) => module === 'own' || module === 'caused');
    assert.deepEqual(ours, [['own', first, last]]);
  });
});
