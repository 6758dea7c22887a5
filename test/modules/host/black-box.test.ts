import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BlackBox } from '../../../modules/host/black-box.js';
import { tempDir } from '../../support/temp-dir.js';

/** Whether the file can be mapped, or each note is written by a system call. */
type Way = 'mapped' | 'written';

const WAYS: readonly Way[] = ['mapped', 'written'];

/** What the next process learns when this one, having noted what `act` notes, ends in that way. */
const afterwards = async (lastExit: string, act: (box: BlackBox) => void, way: Way = 'mapped') => {
  await using dir = tempDir();
  const path = join(dir.path, 'in-hand');
  // A directory in the place of LMDB's lock file: the file cannot be mapped.
  if (way === 'written') await mkdir(`${path}-lock`);
  act(await BlackBox.open(path, 'none'));
  const after = await BlackBox.open(path, lastExit);
  const { culprit, suspects } = after.lastMoments;
  after.close();
  return { culprit, suspects: [...suspects].sort((a, b) => a - b) };
};

const NOBODY = { culprit: undefined, suspects: [] };

describe('the black box', () => {
  it('names the handler that was running when the process ended', async () => {
    const running = (box: BlackBox): void => {
      box.began(3);
      box.enter(7);
    };
    for (const way of WAYS) {
      for (const end of ['exit:1', 'exit:0', 'hang', 'cut', 'signal:SIGABRT', 'signal:SIGSEGV']) {
        assert.deepEqual(await afterwards(end, running, way), { culprit: 7, suspects: [] }, `${end} ${way}`);
      }
    }
  });

  it('names nobody where the end came from outside', async () => {
    for (const end of ['none', 'signal:SIGKILL', 'signal:SIGTERM', 'signal:SIGINT', 'signal:SIGHUP']) {
      assert.deepEqual(await afterwards(end, (box) => box.enter(7)), NOBODY, end);
    }
  });

  it('names nobody where the process ended as it should, whatever was left', async () => {
    const closed = (box: BlackBox): void => {
      box.began(3);
      box.close();
      box.ended(3);
      box.enter(4);
    };
    for (const way of WAYS) assert.deepEqual(await afterwards('exit:0', closed, way), NOBODY, way);
  });

  it('of handlers that were under way, one alone did it; of several, each may have', () =>
    fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 1, max: 1_000_000 }), { maxLength: 20 }),
        fc.nat(20),
        fc.constantFrom(...WAYS),
        async (begun, ended, way) => {
          const left = begun.slice(ended).sort((a, b) => a - b);
          const seen = await afterwards(
            'exit:1',
            (box) => {
              for (const seq of begun) {
                box.began(seq);
                box.enter(seq);
                box.leave();
              }
              for (const seq of begun.slice(0, ended)) box.ended(seq);
            },
            way,
          );
          assert.deepEqual(
            seen,
            left.length === 1 ? { culprit: left[0], suspects: [] } : { culprit: undefined, suspects: left },
          );
        },
      ),
      { numRuns: 50 },
    ));

  it('more handlers than it has room for run unnoted', async () => {
    const seen = await afterwards('exit:1', (box) => {
      for (let seq = 1; seq <= 2_000; seq++) box.began(seq);
      for (let seq = 2_000; seq > 2; seq--) box.forget(seq);
      box.began(5_000);
    });
    assert.deepEqual(seen, { culprit: undefined, suspects: [1, 2, 5_000] });
  });

  it('a handler that runs is noted in the place of one that has ended', async () => {
    const seen = await afterwards('exit:1', (box) => {
      for (let seq = 1; seq <= 2_000; seq++) {
        box.began(seq);
        box.ended(seq);
      }
      box.began(5_000);
      box.began(6_000);
    });
    assert.deepEqual(seen, { culprit: undefined, suspects: [5_000, 6_000] });
  });

  it('knows which handlers had begun until the log knows, whatever was done and whatever ended the process', async () => {
    const act = fc.record({
      what: fc.constantFrom('began', 'ended', 'forget'),
      seq: fc.integer({ min: 1, max: 8 }),
    });
    const end = fc.constantFrom('signal:SIGKILL', 'signal:SIGTERM', 'exit:1', 'hang', 'none');
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { maxLength: 40 }),
        end,
        fc.constantFrom(...WAYS),
        async (acts, how, way) => {
          await using dir = tempDir();
          const path = join(dir.path, 'in-hand');
          if (way === 'written') await mkdir(`${path}-lock`);
          const box = await BlackBox.open(path, 'none');
          const begun = new Set<number>();
          for (const { what, seq } of acts) {
            box[what as 'began'](seq);
            if (what === 'began') begun.add(seq);
            if (what === 'forget') begun.delete(seq);
          }
          const after = await BlackBox.open(path, how);
          assert.deepEqual([...after.lastMoments.begun].toSorted(), [...begun].toSorted(), `${how} ${way}`);
          after.close();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('knows which handlers had begun, whatever ended the process', async () => {
    for (const end of ['signal:SIGKILL', 'signal:SIGTERM', 'exit:1', 'hang', 'none']) {
      await using dir = tempDir();
      const path = join(dir.path, 'in-hand');
      const box = await BlackBox.open(path, 'none');
      for (const seq of [3, 7, 9]) box.began(seq);
      box.ended(7);
      box.forget(9);
      const after = await BlackBox.open(path, end);
      assert.deepEqual([...after.lastMoments.begun].toSorted(), [3, 7], end);
      after.close();
    }
  });

  it('a file that is cut short or of another kind accuses nobody that it does not name', async () => {
    await using dir = tempDir();
    const path = join(dir.path, 'in-hand');
    for (const bytes of [Buffer.alloc(0), Buffer.from('abc'), Buffer.alloc(100_000)]) {
      await writeFile(path, bytes);
      const box = await BlackBox.open(path, 'exit:1');
      assert.deepEqual(box.lastMoments, { ...NOBODY, begun: new Set() });
      box.close();
    }
  });
});
