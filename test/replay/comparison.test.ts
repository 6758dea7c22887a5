import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { NatsConnection } from 'nats';
import { logEnds } from '../../journal/read/reader-api.js';
import { ModuleAgents } from '../../store/snapshots/index.js';
import { checkSnapshots } from '../../replay/rebuild/check.js';
import { SnapshotComparison, type Difference } from '../../replay/rebuild/comparison.js';
import { foldLog } from '../../replay/fold/fold-log.js';
import { adoptRebuilt, rebuildSnapshots } from '../../replay/rebuild/rebuild-states.js';
import { discard, openFolds } from '../../replay/rebuild/whole-fold.js';
import { Generations } from '../../store/snapshots/generations.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { history, statesOf, tally } from '../fixtures/tally-history.js';
import { failure, success } from '../support/either.js';
import { createLog, dial } from '../support/log.js';
import { runProgram } from '../support/run-program.js';
import { startServer, type TestServer } from '../support/server.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { record, type Recorded } from './past-log.js';

const SEED = Math.floor(Math.random() * 2 ** 32);
const TAMPERING = join(import.meta.dirname, '..', 'fixtures', 'tampering.js');

describe('snapshots that are ahead of the fold they are compared with', () => {
  let server: TestServer;
  let nc: NatsConnection;
  let home: TempDir;
  let recorded: readonly Recorded[];
  let lastSeq: number;
  let logId: string;
  let live: ModuleAgents;
  let generation: string;

  before(async () => {
    server = await startServer({ name: 'comparison' });
    nc = await dial(server);
    home = tempDir();
    await createLog(nc);
    recorded = await record(nc, history(SEED, 2_000, 20), SEED);
    ({ lastSeq, logId } = success(await logEnds({ nc, prefix: '$JS.API' })));
    const { modules } = success(await rebuildSnapshots({ nc, dataDir: home.path, modules: [tally] })());
    for (const module of modules) adoptRebuilt(home.path, module);
    const generations = new Generations(join(home.path, 'snapshots', 'tally'));
    generations.publish('g1');
    generation = generations.path('g1');
    live = new ModuleAgents('tally', home.path);
  });
  after(async () => {
    await live?.close();
    await nc?.close();
    await server?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  /** Folds half of the log, looks at the snapshots, which have all of it, and folds on as far as they are. */
  const compareFromHalf = async (): Promise<Difference | undefined> => {
    const half = Math.floor(lastSeq / 2);
    const folds = success(await openFolds({ dataDir: home.path, modules: [tally] }, logId));
    const [fold] = folds;
    assert.ok(fold !== undefined);
    try {
      success(await foldLog(folds, { nc, fromSeq: 1, toSeq: half }));
      success(await fold.finish());
      const comparison = new SnapshotComparison(fold, live, half);
      let difference = comparison.all();
      assert.ok(comparison.aheadSeq > half);
      const onChange = (_fold: unknown, agent: string, seq: number): void => {
        difference ??= comparison.came(agent, seq);
      };
      success(await foldLog(folds, { nc, fromSeq: half + 1, toSeq: comparison.aheadSeq, onChange }));
      return difference ?? comparison.never();
    } finally {
      await discard(folds);
    }
  };
  const put = async (agent: string, seq: number, json: string): Promise<void> => {
    const args = [TAMPERING, generation, agent, `${seq}`, '1', json];
    const { code, stderr } = await runProgram(process.execPath, args);
    assert.equal(code, 0, stderr);
  };

  test('I6 are compared where the fold comes to exactly their sequence, and are the same', async (t) => {
    t.diagnostic(`seed ${SEED}`);
    assert.equal(await compareFromHalf(), undefined);
    const checked = success(await checkSnapshots({ nc, dataDir: home.path, modules: [tally] })());
    assert.equal(checked.difference, undefined);
    const agents = [...statesOf(recorded).keys()].filter((agent) => agent !== '');
    assert.deepEqual(checked.modules[0]?.agents, agents.length);
  });

  test('a state that is wrong there is found, and so is a sequence at which nothing changed', async () => {
    const agent = recorded.findLast((each) => each.events.length > 0)?.agent ?? '';
    const before = live.stored(agent);
    assert.ok(before !== undefined && before.seq > lastSeq / 2);
    const { seq, json } = before;
    const wrong = `${json} `;
    await put(agent, seq, wrong);
    const found = await compareFromHalf();
    assert.deepEqual([found?.agent, found?.log?.json, found?.snapshot?.json], [agent, json, wrong]);
    // A record of the log, and no change of this agent.
    await put(agent, seq - 1, json);
    const never = await compareFromHalf();
    assert.deepEqual([never?.agent, never?.snapshot?.seq], [agent, seq - 1]);
    assert.notEqual(never?.log?.seq, seq - 1);
    await put(agent, seq, json);
    assert.equal(await compareFromHalf(), undefined);
  });

  test('snapshots of another version, or that do not come, are no difference and told as what they are', async () => {
    const next = { ...tally, manifest: { ...tally.manifest, version: '1.1.0' } } as AnyModule;
    const other = failure(await checkSnapshots({ nc, dataDir: home.path, modules: [next] })());
    assert.equal(other.code, 'SNAPSHOTS_UNAVAILABLE');
    assert.match(other.message, /of version 1\.0\.0, schema 1, the code of 1\.1\.0/);
    await record(nc, [{ agent: 'late', events: [{ name: 'added', data: { amount: 1, note: '' } }] }], 1);
    const options = { nc, dataDir: home.path, modules: [tally], timeoutMs: 50 };
    assert.equal(failure(await checkSnapshots(options)()).code, 'SNAPSHOTS_BEHIND');
  });
});
