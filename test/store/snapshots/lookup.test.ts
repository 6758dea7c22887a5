import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Key } from 'lmdb';
import { fieldKey } from '../../../store/snapshots/field-keys.js';
import { markSynced, markUnsynced } from '../../../store/lmdb/synced-mark.js';
import { openSnapshotsToWrite, type SnapshotFiles } from '../../../store/snapshots/snapshot-files.js';
import { Opening } from '../../../store/lmdb/opening.js';
import { type AgentState, ModuleAgents } from '../../../store/snapshots/index.js';
import { history, statesOf } from '../../fixtures/tally-history.js';
import { follow } from '../../support/children.js';
import { failure, success } from '../../support/either.js';
import { type Folding, startFolding } from '../../support/folding.js';
import { byForm, inDeep } from '../../support/form.js';
import { Seeded } from '../../support/seeded.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { thrownCode } from '../../support/thrown-code.js';
import { waitFor } from '../../support/wait-for.js';

const [COUNT, AGENTS, KILLS] = [byForm({ short: 6_000, deep: 20_000 }), 40, byForm({ short: 1, deep: 12 })];
const SEED = Math.floor(Math.random() * 2 ** 32);
const HAPPENED = history(SEED, COUNT, AGENTS);
const STATES = statesOf(HAPPENED);
const LAST = HAPPENED.at(-1)?.seq ?? 0;

const ENTRY = Buffer.of(1);

const readCurrent = (home: string): string =>
  readFileSync(join(home, 'snapshots', 'tally', 'current'), 'utf8').trim();

/** Whether a state that was found is the fold of the history up to where it says that it stands. */
const checkState = (agent: string, found: AgentState | undefined): void => {
  if (found === undefined) return;
  const expected = STATES.get(agent)?.get(found.seq);
  assert.equal(JSON.stringify(found.state), expected, `seed ${SEED}: ${agent} at ${found.seq}`);
};

describe('agents are looked up from another process', () => {
  let home: TempDir;
  let agents: ModuleAgents;
  const fold = (more: object = {}): Folding =>
    startFolding({ dataDir: home.path, seed: SEED, count: COUNT, agents: AGENTS, ...more });

  before(() => {
    home = tempDir();
    agents = new ModuleAgents('tally', home.path);
  });
  after(async () => {
    await agents.close();
    await home[Symbol.asyncDispose]();
  });

  test('without snapshots that is a typed error, whatever the name', () => {
    for (const module of ['tally', 'nobody', '../../etc', '']) {
      const none = new ModuleAgents(module, home.path);
      assert.equal(
        thrownCode(() => none.get('alice')),
        'SNAPSHOTS_UNAVAILABLE',
        module,
      );
    }
  });

  test('I6 I9 while the writer is killed again and again, every state found is the fold of the log up to its sequence', async (t) => {
    t.diagnostic(`seed ${SEED}`);
    const random = new Seeded(SEED);
    let kills = 0;
    for (;;) {
      // Before it begins, since it goes on at once; before the first there is nothing to be read.
      const stood = kills === 0 ? 0 : (agents.position?.seq ?? 0);
      const folding = fold({ rate: 8_000 });
      await waitFor('the writer', () => folding.at('from') !== undefined, 30_000);
      assert.equal(folding.at('from'), stood, 'the writer begins where readers see it stand');
      const killAt = kills < KILLS ? performance.now() + random.int(50, 500) : Number.POSITIVE_INFINITY;
      let before = 0;
      while (performance.now() < killAt && !folding.lines.includes('closed')) {
        const agent = random.pick([...STATES.keys()]);
        const stands = agents.position?.seq ?? 0;
        assert.ok(stands >= before, 'the position never goes back');
        before = stands;
        checkState(agent, agents.get(agent));
        if (random.int(0, 9) === 0) await new Promise((resume) => setTimeout(resume, 1));
      }
      if (folding.lines.includes('closed')) break;
      folding.child.kill('SIGKILL');
      await folding.exited;
      kills += 1;
      assert.ok((agents.position?.seq ?? 0) >= before, 'what was seen is there after the kill');
      success(agents.checkIndex());
    }
    t.diagnostic(`${kills} kills`);
    assert.ok(kills >= 1);
    assert.equal(agents.position?.seq, LAST);
    for (const [agent, states] of STATES) {
      const found = agents.get(agent);
      assert.equal(found?.seq, [...states.keys()].at(-1));
      checkState(agent, found);
    }
  });

  test('I6 agents are found by the values of their fields, and by no others', () => {
    success(agents.checkIndex());
    const last = new Map(
      [...STATES].map(([agent, states]) => [agent, JSON.parse([...states.values()].at(-1) ?? '')]),
    );
    last.delete('');
    const values = [...last.values()].flatMap((state) => [
      { newest: state.newest },
      { sum: state.sum },
      { sum: `${state.sum}` },
      { newest: state.newest, 'by.kl': state.by.kl ?? null },
    ]);
    for (const where of [...values, { newest: 'never' }, { sum: true }, { last: '' }]) {
      const expected = [...last]
        .filter(([, { sum, newest, by }]) =>
          Object.entries(where).every(([field, value]) => {
            const has = { sum, newest, 'by.kl': by.kl }[field];
            return has !== undefined && `${has}` === `${value}`;
          }),
        )
        .map(([agent]) => agent)
        .sort();
      const found: string[] = [];
      for (let after: string | null = ''; after !== null; ) {
        const page = agents.list({ where, after, limit: 3 });
        for (const { agent, seq } of page.agents) {
          assert.equal(agents.get(agent)?.seq, seq);
          found.push(agent);
        }
        after = page.next;
      }
      assert.deepEqual(found, expected, `seed ${SEED}: ${JSON.stringify(where)}`);
      const inside = agents.list({ where, prefix: 'agent-1', limit: 100 }).agents.map(({ agent }) => agent);
      assert.deepEqual(
        inside,
        expected.filter((agent) => agent.startsWith('agent-1')),
      );
    }
    for (const [where, code] of [
      [{ other: 1 }, 'FIELD_NOT_INDEXED'],
      [{ sum: 1, 'by.gr': 1 }, 'FIELD_NOT_INDEXED'],
      [{ sum: {} as never }, 'USAGE'],
      [{}, 'USAGE'],
    ] as const)
      assert.equal(
        thrownCode(() => agents.list({ where })),
        code,
      );
  });

  test('an index that lacks an agent, or has one too many, is found', async () => {
    const dir = join(home.path, 'snapshots', 'tally', readCurrent(home.path));
    type Fields = NonNullable<SnapshotFiles['fields']>;
    // One environment of LMDB in a process.
    const change = async (work: (fields: Fields) => void): Promise<void> => {
      await agents.close();
      markUnsynced(dir);
      const opening = new Opening(dir);
      const { root, fields } = openSnapshotsToWrite(opening, dir);
      work(fields as Fields);
      await root.close();
      await opening.close();
      markSynced(dir);
    };
    const first: { key: Key } = { key: '' };
    await change((fields) => {
      first.key = [...fields.getKeys({ limit: 1 })][0] as Key;
    });
    const surplus = fieldKey('sum', '=never', 'agent-0');
    for (const [damage, mend] of [
      [
        (fields: Fields) => fields.removeSync(first.key),
        (fields: Fields) => fields.putSync(first.key, ENTRY),
      ],
      [(fields: Fields) => fields.putSync(surplus, ENTRY), (fields: Fields) => fields.removeSync(surplus)],
    ] as const) {
      await change(damage);
      assert.equal(failure(agents.checkIndex()).code, 'SNAPSHOT_DAMAGED');
      await change(mend);
      success(agents.checkIndex());
    }
  });

  test('a state of the past is what was kept before it and the records between, at any sequence', () => {
    const random = new Seeded(SEED);
    for (const [agent, states] of STATES) {
      const sequences = [...states.keys()];
      const picked = Array.from({ length: 30 }, () => random.int(0, LAST + 5));
      for (const at of [...picked, ...sequences.slice(0, 3), sequences.at(-1) ?? 0]) {
        const { base, sequences: behind } = agents.past(agent, at);
        checkState(agent, base);
        const expected = sequences.filter((seq) => seq > (base?.seq ?? 0) && seq <= at);
        assert.deepEqual(behind, expected, `seed ${SEED}: ${agent} at ${at}`);
        assert.ok(behind.length < 4 * 256 + 256, `${behind.length} records to fold`);
      }
    }
    const busiest = agents.past('agent-0', LAST);
    assert.equal(busiest.sequences.length, 0);
  });

  test('they are listed in pages, by prefix, and counted; the module itself is none of them', () => {
    const names = [...STATES.keys()].filter((name) => name !== '').sort();
    assert.equal(agents.count(), names.length);
    const found: string[] = [];
    let after = '';
    for (;;) {
      const page = agents.list({ after, limit: 7 });
      assert.ok(page.agents.length <= 7);
      found.push(...page.agents.map(({ agent }) => agent));
      if (page.next === null) break;
      after = page.next;
    }
    assert.deepEqual(found, names);
    const ones = agents.list({ prefix: 'agent-1' }).agents.map(({ agent }) => agent);
    assert.deepEqual(
      ones,
      names.filter((name) => name.startsWith('agent-1')),
    );
    assert.ok(agents.has('agent-0') && !agents.has('nobody') && agents.get('nobody') === undefined);
    assert.deepEqual(agents.list({ prefix: 'z' }), { agents: [], next: null });
  });

  test('whoever waits for a sequence reads their own write, or is told that it did not come', async () => {
    success(await agents.atLeast(LAST)());
    const late = failure(await agents.atLeast(LAST + 1, { timeoutMs: 20 })());
    assert.equal(late.code, 'SNAPSHOTS_BEHIND');
  });

  test('what is idle for long pins no page: the file does not grow by it', async () => {
    const other = tempDir();
    const folding = startFolding({ dataDir: other.path, seed: 1, count: 60_000, agents: 20, rate: 20_000 });
    await waitFor('the writer', () => folding.at('at') !== undefined, 30_000);
    const idle = new ModuleAgents('tally', other.path);
    await waitFor('an agent', () => idle.has('agent-0'));
    const size = (): number => statSync(join(other.path, 'snapshots', 'tally', 'g1', 'data.mdb')).size;
    const early = await waitFor('some groups', () => (folding.at('at') ?? 0) > 20_000 && size(), 30_000);
    await waitFor('the end', () => folding.lines.includes('closed'), 60_000);
    assert.ok(size() < early * 3 + 2_000_000, `${early} bytes became ${size()}`);
    await idle.close();
    await other[Symbol.asyncDispose]();
  });

  test('a value that was damaged is told, and never taken for a state', async () => {
    const path = join(home.path, 'snapshots', 'tally', 'g1', 'data.mdb');
    const file = readFileSync(path);
    assert.ok(agents.has('agent-0'));
    for (let at = file.indexOf('"sum"'); at >= 0; at = file.indexOf('"sum"', at)) file[at + 1] = 0x53;
    writeFileSync(path, file);
    assert.equal(
      thrownCode(() => agents.get('agent-0')),
      'SNAPSHOT_DAMAGED',
    );
    await agents.close();
    assert.equal(
      thrownCode(() => agents.get('agent-0')),
      'SNAPSHOTS_UNAVAILABLE',
      'who opens it finds that it is not what was written',
    );
  });
});

describe('opening and committing exclude each other', () => {
  inDeep(test)('no commit is taken back by processes that only open and close', async () => {
    await using home = tempDir();
    // It commits until it is killed. Where nobody but openers is left, the last one that closes can spoil the lock of the next.
    const folding = startFolding({ dataDir: home.path, seed: 7, count: 900_000, agents: 10, rate: 30_000 });
    await waitFor('the writer', () => folding.at('at') !== undefined, 30_000);
    const opener = `import { ModuleAgents } from ${JSON.stringify(join(import.meta.dirname, '../../../store/snapshots/index.js'))};
      let last = 0, opened = 0;
      const end = Date.now() + 3000;
      while (Date.now() < end) {
        const agents = new ModuleAgents('tally', ${JSON.stringify(home.path)});
        const at = agents.position.seq;
        if (at < last) { console.log('went back from', last, 'to', at); process.exit(1); }
        last = at; opened++;
        await agents.close();
      }
      process.exit(opened > 20 ? 0 : 2);`;
    const openers = [1, 2].map(() => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', opener], { stdio: 'inherit' });
      return follow(child);
    });
    assert.deepEqual(await Promise.all(openers), [
      { code: 0, signal: null },
      { code: 0, signal: null },
    ]);
    folding.child.kill('SIGKILL');
    await folding.exited;
    assert.ok(!folding.lines.some((line) => line.startsWith('said')), folding.lines.join('\n'));
  });

  test('who dies with the lock leaves it free, and who holds it holds up the writer and no reader', async () => {
    await using home = tempDir();
    const folding = startFolding({ dataDir: home.path, seed: 8, count: 500_000, agents: 10, rate: 5_000 });
    const agents = new ModuleAgents('tally', home.path);
    await waitFor(
      'the writer',
      () => folding.at('at') !== undefined && agents.position !== undefined,
      30_000,
    );
    const dir = join(home.path, 'snapshots', 'tally', 'g1');
    const holder = `import { Opening } from ${JSON.stringify(join(import.meta.dirname, '../../../store/lmdb/opening.js'))};
      new Opening(${JSON.stringify(dir)}).alone(() => {
        process.stdout.write('held\\n');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60000);
      });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', holder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = follow(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const stands = agents.position?.seq ?? 0;
    const from = folding.at('at') ?? 0;
    await waitFor('more to be folded', () => (folding.at('at') ?? 0) > from + 2_000);
    assert.ok(agents.get('agent-0') !== undefined, 'readers read');
    assert.ok((agents.position?.seq ?? 0) <= stands + 1_000, 'nothing is committed meanwhile');
    child.kill('SIGKILL');
    await exited;
    success(await agents.atLeast(from + 2_000)());
    folding.child.kill('SIGKILL');
    await folding.exited;
    await agents.close();
    await new Opening(dir).close();
  });
});
