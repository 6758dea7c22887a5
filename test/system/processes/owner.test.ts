import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type Either, isRight } from 'fp-ts/lib/Either.js';
import { appendBehind, readHead } from '../../../system/processes/claim-chain.js';
import { type Claim, type ClaimRecord, claimDataDir } from '../../../system/processes/owner.js';
import type { Fault } from '../../../schemas/errors.js';
import { type NodeScript, compiled, runScript } from './node-script.js';

const root = mkdtempSync(join(tmpdir(), 'tally-owner-'));
let dirs = 0;
const freshDir = (): string => join(root, `data-${dirs++}`);
after(() => rmSync(root, { recursive: true, force: true }));

/** Claims the directory, prints the outcome, and keeps what it has until it is killed. */
const CLAIMANT = `
  import { claimDataDir } from '${compiled('system/processes/owner.js')}';
  const claim = claimDataDir(process.argv[1]);
  console.log('ready');
  // All start to claim at the same instant, told by the clock, since processes take a while to get here.
  const at = Number(process.argv[2]);
  while (Date.now() < at);
  const outcome = await claim();
  console.log(JSON.stringify({ tag: outcome._tag, fault: outcome.left ?? null }));
  setInterval(() => undefined, 1000);
`;

const claimant = (dir: string, atMs = 0): NodeScript => runScript(CLAIMANT, [dir, String(atMs)]);

const outcomeOf = async (script: NodeScript): Promise<{ tag: string; fault: Fault | null }> => {
  assert.equal(await script.nextLine(), 'ready');
  return JSON.parse(await script.nextLine()) as { tag: string; fault: Fault | null };
};

const claimed = (outcome: Either<Fault, Claim>): Claim => {
  assert.ok(isRight(outcome), JSON.stringify(outcome));
  return outcome.right;
};

const refused = (outcome: Either<Fault, Claim>): Fault => {
  assert.ok(!isRight(outcome), 'the claim was granted');
  return outcome.left;
};

describe('owner of a data directory', () => {
  test('the directory is made for this user alone, and can be claimed again once it is released', async () => {
    const dir = join(freshDir(), 'deeper');
    const first = claimed(await claimDataDir(dir)());
    assert.equal(statSync(dir).mode & 0o777, 0o700);
    const fault = refused(await claimDataDir(dir)());
    assert.equal(fault.code, 'DATA_DIR_IN_USE');
    await first.release();
    await first.release();
    await using second = claimed(await claimDataDir(dir)());
    assert.equal(second.record.pid, process.pid);
  });

  test('of ten processes that claim at one instant exactly one wins, and the others are told who', async () => {
    const dir = freshDir();
    for (let round = 0; round < 3; round++) {
      const atMs = Date.now() + 1500;
      const scripts = Array.from({ length: 10 }, () => claimant(dir, atMs));
      try {
        const outcomes = await Promise.all(scripts.map(outcomeOf));
        const winners = scripts.filter((_, at) => outcomes[at]?.tag === 'Right');
        assert.equal(winners.length, 1, JSON.stringify(outcomes));
        for (const { fault } of outcomes.filter(({ tag }) => tag === 'Left')) {
          assert.equal(fault?.code, 'DATA_DIR_IN_USE');
          assert.match(fault.message, new RegExp(`pid ${winners[0]?.pid}\\b`));
        }
      } finally {
        // Killed, not released: the next round starts from a stale claim and races to take it over.
        await Promise.all(scripts.map((script) => script.kill()));
      }
    }
  });

  test('a claim is free again at once when its holder was killed with -9', async () => {
    const dir = freshDir();
    const holder = claimant(dir);
    assert.equal((await outcomeOf(holder)).tag, 'Right');
    const fault = refused(await claimDataDir(dir)());
    assert.equal(fault.code, 'DATA_DIR_IN_USE');
    assert.match(fault.message, new RegExp(`pid ${holder.pid} \\(.*node.* since \\d{4}-\\d\\d-\\d\\dT`, 's'));
    await holder.kill();
    await claimed(await claimDataDir(dir)()).release();
  });

  test('a claim whose pid now belongs to a process with another start time is stale', async () => {
    const dir = freshDir();
    const mine = claimed(await claimDataDir(dir)());
    await mine.release();
    const chain = join(dir, 'owner');
    const earlier: ClaimRecord = { ...mine.record, startedAt: 'another time' };
    assert.ok(appendBehind(chain, readHead(chain), JSON.stringify(earlier)));
    await using taken = claimed(await claimDataDir(dir)());
    assert.equal(taken.record.startedAt, mine.record.startedAt);
  });

  test("a claim that cannot be read is nobody's", async () => {
    const dir = freshDir();
    const chain = join(dir, 'owner');
    assert.ok(appendBehind(chain, readHead(chain), '{"pid":'));
    await claimed(await claimDataDir(dir)()).release();
    writeFileSync(join(chain, '99'), 'a file, not a link');
    await claimed(await claimDataDir(dir)()).release();
  });

  test('a release leaves the claim of a later owner alone', async () => {
    const dir = freshDir();
    const chain = join(dir, 'owner');
    const mine = claimed(await claimDataDir(dir)());
    assert.ok(appendBehind(chain, readHead(chain), 'later'));
    const later = readHead(chain);
    await mine.release();
    assert.deepEqual(readHead(chain), later);
  });

  test('a starter that looked before others came and went cannot slip in below them', () => {
    const chain = join(freshDir(), 'owner');
    const old = readHead(chain);
    for (const text of ['first', 'second']) assert.ok(appendBehind(chain, readHead(chain), text));
    // The name that follows on what it looked at is free again, since the second removed the first.
    assert.equal(appendBehind(chain, old, 'late'), undefined);
    assert.deepEqual(readHead(chain), { number: 2, text: 'second' });
    assert.deepEqual(readdirSync(chain), ['2']);
  });

  test('a path that cannot be a directory is told with what to do', async () => {
    const file = join(root, 'a-file');
    writeFileSync(file, '');
    for (const dir of [file, join(file, 'below')]) {
      const fault = refused(await claimDataDir(dir)());
      assert.equal(fault.code, 'DATA_DIR_UNUSABLE');
      assert.match(fault.message, /--data/);
    }
  });
});
