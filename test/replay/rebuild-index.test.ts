import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import type { IndexPosition } from '../../store/log-index/index-files.js';
import { IndexStore } from '../../broker/index/index-store.js';
import { LogIndex } from '../../broker/index/log-index.js';
import { readIndexPosition } from '../../store/log-index/read-position.js';
import type { ErrorCode } from '../../schemas/error-table.js';
import { logEnds } from '../../journal/read/reader-api.js';
import { Generations } from '../../store/snapshots/generations.js';
import { checkSnapshots } from '../../replay/rebuild/check.js';
import type { Difference } from '../../replay/rebuild/comparison.js';
import { adoptRebuilt, rebuildSnapshots } from '../../replay/rebuild/rebuild-states.js';
import { history, tally } from '../fixtures/tally-history.js';
import { success } from '../support/either.js';
import { putIntoIndex } from '../support/index-files.js';
import { createLog, dial } from '../support/log.js';
import { startServer, type TestServer } from '../support/server.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { record, type Recorded } from './past-log.js';
import { startReader } from '../support/start-reader.js';

const SEED = Math.floor(Math.random() * 2 ** 32);

describe('what a rebuild reads', () => {
  let server: TestServer;
  let nc: NatsConnection;
  let changing: readonly Recorded[];
  let lastSeq: number;
  let logId: string;
  /** As the broker's index stands when it has read all. */
  let known: IndexPosition;

  const indexed = async (home: TempDir): Promise<void> => {
    const index = new LogIndex({
      nc,
      reader: startReader(nc, lastSeq),
      dir: join(home.path, 'index'),
      logId,
      lastSeq,
      say: (text) => assert.fail(text),
      onLost: ({ message }) => assert.fail(message),
    });
    await index.start();
    await index.close();
  };

  before(async () => {
    server = await startServer({ name: 'rebuild-index' });
    nc = await dial(server);
    await createLog(nc);
    const recorded = await record(nc, history(SEED, 2_000, 20), SEED);
    changing = recorded.filter(({ events }) => events.length > 0);
    ({ lastSeq, logId } = success(await logEnds({ nc, prefix: '$JS.API' })));
    await using home = tempDir();
    await indexed(home);
    known = (await readIndexPosition(home.path)) ?? assert.fail('no position');
  });
  after(async () => {
    await nc?.close();
    await server?.[Symbol.asyncDispose]();
  });

  /** Rebuilds with what an index says, and has every event read to find what is wrong with that. */
  const rebuilt = async (position: IndexPosition, damage?: (path: string) => Promise<void>) => {
    await using home = tempDir();
    const path = join(home.path, 'index');
    mkdirSync(path);
    const store = new IndexStore(path);
    store.commit({ startsOver: false, rows: {}, counts: [], position });
    await store.close();
    await damage?.(path);
    const options = { nc, dataDir: home.path, modules: [tally] };
    const { modules } = success(await rebuildSnapshots(options)());
    const [module] = modules;
    assert.ok(module !== undefined);
    adoptRebuilt(home.path, module);
    new Generations(join(home.path, 'snapshots', 'tally')).publish('g1');
    const checked = await checkSnapshots({ ...options, timeoutMs: 1_000 })();
    // Where the last record is an event that was not read, the snapshots end before it, and the check says that.
    const difference = E.isLeft(checked) ? checked.left.code : checked.right.difference;
    return { difference, changes: module.changes };
  };
  const isWhole = (found: { difference: Difference | ErrorCode | undefined; changes: number }): void =>
    assert.deepEqual(found, { difference: undefined, changes: changing.length }, `seed ${SEED}`);

  test('the index knows from where to where events lie that nothing caused', async (t) => {
    t.diagnostic(`seed ${SEED}`);
    const [stretch, ...others] = known.uncaused;
    assert.deepEqual(others, []);
    assert.equal(known.seq, lastSeq);
    const [module, from, to] = stretch ?? assert.fail('no events');
    assert.equal(module, 'tally');
    assert.ok(from >= 1 && from < to && to <= lastSeq);
  });

  test('I6 with an index, also one that is behind, states are what the whole log gives', async () => {
    isWhole(await rebuilt(known));
    const half = Math.floor(lastSeq / 2);
    const behind = known.uncaused.map(([module, from]) => [module, from, half] as const);
    isWhole(await rebuilt({ ...known, seq: half, uncaused: behind }));
  });

  test('events that the index takes for copies are not read, and a check, which reads all, finds that out', async () => {
    const { difference, changes } = await rebuilt({ ...known, uncaused: [] });
    assert.ok(changes < changing.length, `${changes} of ${changing.length} changes`);
    if (typeof difference === 'string') assert.equal(difference, 'SNAPSHOTS_BEHIND');
    else assert.ok(difference !== undefined);
  });

  test('I9 an index of another log, ahead of this one, of another version or damaged is not asked', async () => {
    const wrong = { ...known, uncaused: [] };
    isWhole(await rebuilt({ ...wrong, logId: 'another log' }));
    isWhole(await rebuilt({ ...wrong, seq: lastSeq + 1 }));
    const damage = (position: unknown) => (path: string) => putIntoIndex(path, 'position', position);
    isWhole(await rebuilt(wrong, damage({ logId, seq: lastSeq, resumeFrom: 1 })));
    isWhole(await rebuilt(wrong, damage({ format: 2, json: JSON.stringify(wrong), digest: 'another' })));
    isWhole(await rebuilt(wrong, damage('what is this?')));
  });
});
