import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { NatsConnection } from 'nats';
import { logEnds } from '../../journal/read/reader-api.js';
import { Opening } from '../../store/lmdb/opening.js';
import { Generations } from '../../store/snapshots/generations.js';
import { KEEP_EVERY, KEEP_ONE_IN } from '../../store/snapshots/snapshot-group.js';
import { type AgentState, ModuleAgents } from '../../store/snapshots/index.js';
import { openSnapshotsToRead } from '../../store/snapshots/snapshot-files.js';
import { SnapshotView } from '../../store/snapshots/snapshot-value.js';
import { Snapshots } from '../../store/snapshots/snapshots.js';
import { States } from '../../modules/host/states.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { adoptRebuilt, type PastState, rebuildSnapshots, stateAt } from '../../replay/index.js';
import { history, statesOf, tally } from '../fixtures/tally-history.js';
import { failure, success } from '../support/either.js';
import { createLog, dial } from '../support/log.js';
import { Seeded } from '../support/seeded.js';
import { startServer, type TestServer } from '../support/server.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { record, type Recorded } from './past-log.js';

const SEED = Math.floor(Math.random() * 2 ** 32);
/** Changes of one agent, so many that states of the past are thinned out. */
const BUSY = 17_500;

/** All that a generation holds, but for the times, which a host takes from its own clock. */
const contents = (dir: string): Readonly<Record<string, unknown>> => {
  const opening = new Opening(dir);
  const files = openSnapshotsToRead(opening, dir);
  const view = new SnapshotView();
  const all: Record<string, unknown> = {};
  for (const [name, db] of [
    ['agents', files.agents],
    ['kept', files.kept],
  ] as const) {
    for (const { key, value } of db.getRange({})) {
      assert.ok(view.take(value));
      const { seq, schema, chunk, changes } = view.head;
      all[`${name} ${String(key)}`] = {
        seq,
        schema,
        chunk,
        changes,
        json: view.json(),
        of: view.sequences(),
      };
    }
  }
  for (const key of files.fields?.getKeys() ?? []) all[`field ${JSON.stringify(key)}`] = true;
  void files.root.close();
  void opening.close();
  return all;
};

describe('states that are folded from the log again', () => {
  let server: TestServer;
  let nc: NatsConnection;
  let home: TempDir;
  let recorded: readonly Recorded[];
  let states: ReturnType<typeof statesOf>;
  let lastSeq: number;
  let logId: string;
  const agents = (): ModuleAgents => new ModuleAgents('tally', home.path);
  const dir = (): string => join(home.path, 'snapshots', 'tally');

  /** As a module's host does, in groups that form as they will. */
  const foldLive = async (upTo: number): Promise<void> => {
    const snapshots = await Snapshots.open(dir(), 'none', (line) => assert.fail(line));
    const from = snapshots.generation.position?.seq ?? 0;
    const live = new States(tally, snapshots.generation, logId, (line) => assert.fail(line));
    for (const { seq, agent, events } of recorded) {
      if (seq <= from || seq > upTo) continue;
      live.apply(agent, seq, Date.now(), events);
      if (seq % 50 === 0) await new Promise((resume) => setImmediate(resume));
    }
    await live.close();
    snapshots.publish();
    await snapshots.close();
  };

  before(async () => {
    server = await startServer({ name: 'rebuild' });
    nc = await dial(server);
    home = tempDir();
    await createLog(nc);
    const busy = Array.from({ length: BUSY }, (_, i) => ({
      agent: 'busy',
      // Small states of the past stay; these are thinned out.
      events: [{ name: 'added', data: { amount: i, note: 'klein'.padEnd(400) } }],
    }));
    const random = new Seeded(SEED);
    const mixed = [...busy, ...history(SEED, 3_000, 30)]
      .map((each) => ({ each, place: random.next() }))
      .sort((a, b) => a.place - b.place)
      .map(({ each }) => each);
    recorded = await record(nc, mixed, SEED);
    states = statesOf(recorded);
    const ends = success(await logEnds({ nc, prefix: '$JS.API' }));
    ({ lastSeq, logId } = ends);
    await foldLive(lastSeq);
  });
  after(async () => {
    await nc?.close();
    await server?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  const expectedAt = (agent: string, at: number): { seq: number; json: string } | undefined => {
    const last = [...(states.get(agent) ?? [])].findLast(([seq]) => seq <= at);
    return last && { seq: last[0], json: last[1] };
  };
  const checkState = (agent: string, at: number, found: AgentState | undefined): void => {
    const expected = expectedAt(agent, at);
    const got = found && { seq: found.seq, json: JSON.stringify(found.state) };
    assert.deepEqual(got, expected, `seed ${SEED}: ${agent} at ${at}`);
  };
  const find = async (
    agent: string,
    at: number | Date,
    module: AnyModule = tally,
  ): Promise<PastState | undefined> => {
    const from = agents();
    try {
      return success(await stateAt({ nc, agents: from, module, agent, at })());
    } finally {
      await from.close();
    }
  };

  test('I6 are what the host made of it, byte for byte, and so is all that is kept of the past', async (t) => {
    t.diagnostic(`seed ${SEED}`);
    const progress: number[] = [];
    const rebuilt = success(
      await rebuildSnapshots({
        nc,
        dataDir: home.path,
        modules: [tally],
        onProgress: (seq, end) => {
          assert.equal(end, lastSeq);
          progress.push(seq);
        },
      })(),
    );
    const [module] = rebuilt.modules;
    assert.ok(module !== undefined && rebuilt.modules.length === 1);
    assert.equal(module.agents, [...states.keys()].filter((agent) => agent !== '').length);
    assert.deepEqual(
      progress,
      progress.toSorted((a, b) => a - b),
    );
    const generations = new Generations(dir());
    assert.equal(generations.current, 'g1', 'readers have what they had');
    assert.deepEqual(contents(module.path), contents(generations.path('g1')));
    adoptRebuilt(home.path, module);
    assert.deepEqual([generations.current, generations.newest], ['g1', 'g2']);
    // What the module's next start does.
    const snapshots = await Snapshots.open(dir(), 'none', (line) => assert.fail(line));
    assert.equal(snapshots.generation.position?.seq, module.seq);
    snapshots.publish();
    await snapshots.close();
    assert.equal(generations.current, 'g2');
    const from = agents();
    for (const agent of states.keys()) checkState(agent, lastSeq, from.get(agent));
    await from.close();
  });

  test('at any sequence, a state is what had happened by then, and few records are read for it', async () => {
    const random = new Seeded(SEED);
    for (const agent of states.keys()) {
      const sequences = [...(states.get(agent)?.keys() ?? [])];
      const count = agent === 'busy' ? 40 : 5;
      const ats = Array.from({ length: count }, () => random.int(1, lastSeq));
      for (const at of [...ats, sequences[0] ?? 1, sequences.at(-1) ?? 1, lastSeq + 1_000]) {
        const found = await find(agent, at);
        checkState(agent, at, found);
        if (found === undefined) continue;
        assert.equal(found.at, Math.min(at, lastSeq));
        assert.equal(found.note, undefined);
        assert.ok(found.folded <= KEEP_EVERY * KEEP_ONE_IN, `${found.folded} records for ${agent} at ${at}`);
      }
    }
    assert.equal(await find('nobody', lastSeq), undefined);
  });

  test('at a time, it is what had happened by the end of that millisecond', async () => {
    const sequences = [...(states.get('busy')?.keys() ?? [])];
    for (const seq of [sequences[0], sequences[9_000], sequences.at(-1)]) {
      const { time = '' } = (await find('busy', seq ?? 0)) ?? {};
      const found = await find('busy', new Date(time));
      assert.ok(found !== undefined && found.seq >= (seq ?? 0) && found.time === time, `${seq} at ${time}`);
      checkState('busy', found.at, found);
    }
    assert.equal(await find('busy', new Date(0)), undefined);
    checkState('busy', lastSeq, await find('busy', new Date(Date.now() + 60_000)));
  });

  test('snapshots of another version are no base: all is folded from the beginning, which is said', async () => {
    const next = { ...tally, manifest: { ...tally.manifest, version: '1.1.0' } } as AnyModule;
    const at = Math.floor(lastSeq / 2);
    const found = await find('busy', at, next);
    checkState('busy', at, found);
    assert.match(found?.note ?? '', /of version 1\.0\.0.*1\.1\.0.*: folded from the beginning/);
  });

  test('what the snapshots do not have yet is read from the log', async () => {
    const own = tempDir();
    const before = home;
    home = own;
    try {
      await foldLive(Math.floor(lastSeq / 3));
      for (const at of [lastSeq, Math.floor(lastSeq / 2), Math.floor(lastSeq / 4)]) {
        for (const agent of ['busy', ...[...states.keys()].slice(0, 5)])
          checkState(agent, at, await find(agent, at));
      }
    } finally {
      home = before;
      await own[Symbol.asyncDispose]();
    }
  });

  test('a record that the code cannot fold ends it, and leaves nothing behind', async () => {
    const broken = {
      ...tally,
      evolve: {
        added: () => {
          throw new Error('what was that?');
        },
      },
    } as unknown as AnyModule;
    const { code, message } = failure(
      await rebuildSnapshots({ nc, dataDir: home.path, modules: [broken] })(),
    );
    assert.equal(code, 'FOLD_FAILED');
    assert.match(message, /^record \d+ of tally cannot be folded: what was that\?$/);
    assert.deepEqual(readdirSync(dir()).sort(), ['current', 'g2']);
  });

  test('what a process left behind that died is removed; what another one works in is not', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    const [dead, alive] = [`rebuild-${pid}-1`, `rebuild-${process.ppid}-1`];
    for (const name of [dead, alive]) mkdirSync(join(dir(), name));
    const snapshots = await Snapshots.open(dir(), 'none', (line) => assert.fail(line));
    await snapshots.close();
    assert.deepEqual(
      [dead, alive].map((name) => existsSync(join(dir(), name))),
      [false, true],
    );
  });
});
