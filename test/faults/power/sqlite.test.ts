import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notHere } from '../../runner/not-here.js';
import { Seeded } from '../../support/seeded.js';
import { MODES, whyNoLossyDisk } from './lossy-disk.js';
import { IS_LONG, SEED } from './power-options.js';
import { commitAndCrash, type Outcome, type Setting, whyNoSqlite } from './sqlite.js';

const skip = notHere(whyNoSqlite() ?? (await whyNoLossyDisk())) ?? false;
const CRASHES_EACH = IS_LONG ? 5 : 1;
const random = new Seeded(SEED);

/** So many crashes in each mode. */
const crashes = async (setting: Setting): Promise<readonly Outcome[]> => {
  const outcomes: Outcome[] = [];
  for (const mode of MODES) {
    for (let i = 0; i < CRASHES_EACH; i++)
      outcomes.push(await commitAndCrash(setting, random.int(1, 60), mode, random.int(1, 2 ** 31)));
  }
  return outcomes;
};

const KEEPING: readonly Setting[] = [
  { journal: 'wal', synchronous: 'full' },
  { journal: 'truncate', synchronous: 'full' },
  { journal: 'persist', synchronous: 'full' },
  { journal: 'delete', synchronous: 'extra' },
];

for (const setting of KEEPING) {
  const { journal, synchronous } = setting;
  test(`SQLite with synchronous=${synchronous}, journal_mode=${journal} loses no acknowledged commit`, {
    skip,
  }, async (t) => {
    t.diagnostic(`seed ${SEED}`);
    for (const outcome of await crashes(setting))
      assert.deepEqual([outcome.lost, outcome.damage], [0, undefined], JSON.stringify(outcome));
  });
}

test('SQLite with synchronous=off loses acknowledged commits', { skip }, async (t) => {
  t.diagnostic(`seed ${SEED}`);
  for (const journal of ['wal', 'truncate'] as const) {
    const { lost } = await commitAndCrash({ journal, synchronous: 'off' }, 50, 'nothing', SEED);
    assert.ok(lost >= 50, `${lost} lost`);
  }
});

test('SQLite with synchronous=full, journal_mode=delete loses the last commit at most, as its manual says', {
  skip,
}, async () => {
  // The commit is the removal of the journal, which only `extra` syncs: after the last one nothing does.
  const rows = 20;
  for (const [synchronous, lost] of [
    ['full', 1],
    ['extra', 0],
  ] as const) {
    const outcome = await commitAndCrash({ journal: 'delete', synchronous }, rows, 'nothing', SEED, rows);
    assert.deepEqual(outcome, { acknowledged: rows, lost, damage: undefined });
  }
});
