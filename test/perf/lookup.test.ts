import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { due, startPace } from '../../perf/lookup/pace.js';
import {
  agentsByChance,
  changeOf,
  encodeFound,
  type FoundState,
  isWhole,
  moment,
} from '../../perf/lookup/stores/population.js';
import { timeLookups } from '../../perf/lookup/stores/timing.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { perf } from './perf.js';

interface Figure {
  readonly median: number;
  readonly values: readonly number[];
}

interface PrintedLookups {
  readonly p50Us: Figure;
  readonly p99Us: Figure;
  readonly gets: readonly number[];
  readonly writerPerSecond: Figure | null;
}

interface Printed {
  readonly gets: {
    readonly peers: Readonly<Record<string, string | null>>;
    readonly populations: readonly {
      readonly agents: number;
      readonly stores: Readonly<Record<string, { writing: PrintedLookups; atRest: PrintedLookups } | null>>;
    }[];
  };
  readonly ratios: Readonly<Record<string, number | null>>;
}

const RATIOS = [
  ...['getP50Us10k', 'getP99Us10k', 'getP50Us1m', 'getP99Us1m'],
  ...['stateWriteP50Ms', 'stateWriteP99Ms', 'rebuildSeconds1m'],
  ...['natsRequestP50Us', 'redisGetP50Us', 'sqliteGetP50Us'],
  ...['natsRequestOverGetP50', 'redisGetOverGetP50', 'sqliteGetOverGetP50'],
];

const assertLookups = ({ p50Us, p99Us, gets }: PrintedLookups): void => {
  assert.ok(p50Us.median > 0 && p50Us.median <= p99Us.median);
  assert.deepEqual([p50Us.values.length, p99Us.values.length, gets.length], [2, 2, 2]);
  for (const count of gets) assert.ok(count > 0 && count <= 2_000);
};

describe('lookups', () => {
  test('a small run prints all ratios, measures every peer that is there and says which are not', async () => {
    await using temp = tempDir();
    const args = ['--agents', '10000', '--peers', 'nats,redis', '--records', '2000', '--rounds', '2'];
    const { code, stdout, stderr } = await perf(['lookup', ...args, '--json'], { TMPDIR: temp.path });
    assert.equal(code, 0, stderr);
    const { gets, ratios } = JSON.parse(stdout) as Printed;
    assert.deepEqual(Object.keys(ratios), RATIOS);
    assert.deepEqual(
      gets.populations.map(({ agents }) => agents),
      [10_000],
    );
    const stores = gets.populations[0]?.stores ?? {};
    assert.deepEqual(Object.keys(stores), ['snapshots', 'nats', 'redis', 'sqlite']);
    for (const lookups of Object.values(stores)) {
      if (lookups === null) continue;
      assertLookups(lookups.writing);
      assertLookups(lookups.atRest);
      assert.ok((lookups.writing.writerPerSecond?.median ?? 0) > 0);
      assert.equal(lookups.atRest.writerPerSecond, null);
    }
    for (const name of ['getP50Us10k', 'getP99Us10k', 'natsRequestP50Us', 'natsRequestOverGetP50'])
      assert.ok((ratios[name] ?? 0) > 0, name);
    // No Redis is to be had on every machine.
    assert.equal(stores.redis === null, /^without Redis as a peer: /m.test(stderr));
    assert.equal(stores.redis === null, gets.peers.redis === null);
    assert.equal(stores.redis?.writing.p50Us.median === undefined, ratios.redisGetP50Us === null);
    assert.match(stderr, /^without sqlite as a peer: it is not in --peers$/m);
    assert.deepEqual([stores.sqlite, gets.peers.sqlite, ratios.sqliteGetP50Us], [null, null, null]);
    assert.equal(ratios.getP50Us1m, null);
    assert.deepEqual(
      readdirSync(temp.path).filter((name) => name.startsWith('tallystick-perf-')),
      [],
    );
  });

  test('the tables say which peers were left out', async () => {
    const args = ['--agents', '100', '--peers', 'nats', '--records', '100', '--rounds', '1'];
    const { code, stdout, stderr } = await perf(['lookup', ...args]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^ {2}agents.get +\d+\.\d\d/m);
    assert.match(stdout, /^ {2}NATS request \(\d+\.\d+\.\d+\) +\d+\.\d\d/m);
    for (const peer of ['Redis GET', 'SQLite SELECT'])
      assert.match(stdout, new RegExp(`^ {2}${peer} +left out$`, 'm'));
    assert.match(stdout, /^ {2}getP50Us1m +not measured +<= 2$/m);
  });
});

describe('the pace of events', () => {
  test('is the rate, less what was applied, and no group is without limit', () => {
    assert.equal(due(0, 50_000, 0), 0);
    assert.equal(due(10, 50_000, 0), 500);
    assert.equal(due(10, 50_000, 480), 20);
    assert.equal(due(10, 50_000, 501), 0);
    assert.equal(due(60_000, 50_000, 0), 10_000);
  });

  test('one group is applied at a time, and what was applied is told', async () => {
    const groups: number[] = [];
    let running = 0;
    const pace = startPace(1_000_000, async (events) => {
      running += 1;
      assert.equal(running, 1);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      groups.push(events);
    });
    await waitFor('groups', () => groups.length >= 5);
    const { events, seconds } = await pace.stop();
    assert.equal(
      events,
      groups.reduce((sum, count) => sum + count, 0),
    );
    assert.ok(seconds > 0);
  });

  test('a group that cannot be applied ends it, and who stops it is told why', async () => {
    let groups = 0;
    const pace = startPace(1_000_000, () => {
      groups += 1;
      throw new Error('no room');
    });
    await waitFor('a group', () => groups > 0);
    await assert.rejects(pace.stop(), /no room/);
    assert.equal(groups, 1);
  });
});

describe('what is looked up', () => {
  test('agents by chance are those of the population, and the same for the same seed', () => {
    const [one, same, other] = [agentsByChance(10, 7), agentsByChance(10, 7), agentsByChance(10, 8)];
    const taken = Array.from({ length: 1_000 }, one);
    assert.deepEqual(taken, Array.from({ length: 1_000 }, same));
    assert.notDeepEqual(taken, Array.from({ length: 1_000 }, other));
    assert.deepEqual(
      [...new Set(taken)].sort(),
      Array.from({ length: 10 }, (_, i) => `a${i}`),
    );
  });

  test('a state of one moment with the sequence of another is found out', () => {
    const found = JSON.parse(encodeFound(changeOf('a1', 12, moment(new Date(0))))) as FoundState;
    assert.ok(isWhole(found));
    assert.ok(!isWhole({ ...found, seq: 13 }));
    assert.ok(!isWhole(undefined));
  });

  test('a lookup that finds no whole state ends the measurement; one that does is timed', async () => {
    const found: FoundState = { seq: 1, time: '', schema: 1, state: { balance: 1 } };
    const next = agentsByChance(10, 1);
    const limits = { seconds: 60, gets: 50 };
    for (const get of [{ sync: () => found }, { async: async () => found }]) {
      const { gets, p50Us, p99Us } = await timeLookups(get, next, limits);
      assert.equal(gets, 50);
      assert.ok(p50Us <= p99Us);
    }
    for (const get of [{ sync: () => undefined }, { async: async () => undefined }])
      await assert.rejects(timeLookups(get, next, limits), /looking up a\d gave undefined/);
  });
});
