import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';
import { WriteBehind } from '../../../store/lmdb/write-behind.js';
import { waitFor } from '../../support/wait-for.js';

/** The next turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Changes that wait, and files that a test lets succeed or fail. */
class Files {
  waiting: number[] = [];
  /** Groups in the files. */
  readonly written: number[][] = [];
  /** Of each write that began: whether it was to write all. */
  readonly begun: boolean[] = [];
  readonly reports: string[] = [];
  readonly #open: ((outcome: E.Either<string, void>) => void)[] = [];
  readonly writer = new WriteBehind({
    write: (all) => (this.waiting.length === 0 ? undefined : this.#write(all)),
    onFailing: (reason) => void this.reports.push(`failing: ${reason}`),
    onWorking: () => void this.reports.push('working'),
  });

  change(n: number, ms = 0): void {
    this.waiting.push(n);
    this.writer.within(ms);
  }

  /** Ends the write that runs, once one does. */
  async end(outcome: E.Either<string, void> = E.right(undefined)): Promise<void> {
    const end = await waitFor('a write', () => this.#open.shift());
    end(outcome);
    await turn();
  }

  async #write(all: boolean): Promise<E.Either<string, void>> {
    assert.equal(this.#open.length, 0, 'one write at a time');
    const group = this.waiting;
    this.waiting = [];
    this.begun.push(all);
    const outcome = await new Promise<E.Either<string, void>>((end) => this.#open.push(end));
    if (E.isLeft(outcome)) this.waiting = [...group, ...this.waiting];
    else this.written.push(group);
    return outcome;
  }
}

const DISK_FULL = E.left('the disk is full');
const AN_HOUR_MS = 3_600_000;

describe('writing behind', () => {
  test('changes of one turn of the event loop are one group', async () => {
    const files = new Files();
    for (const n of [1, 2, 3]) files.change(n);
    assert.deepEqual(files.begun, []);
    await files.end();
    assert.deepEqual(files.written, [[1, 2, 3]]);
    assert.equal(files.writer.isPlanned, false);
  });

  test('a group forms while the one before is written', async () => {
    const files = new Files();
    files.change(1);
    await waitFor('the write', () => files.writer.isWriting);
    for (const n of [2, 3, 4]) files.change(n);
    await files.end();
    await files.end();
    assert.deepEqual(files.written, [[1], [2, 3, 4]]);
  });

  test('any number of changes have one timer and one write', async () => {
    const files = new Files();
    files.change(0);
    await waitFor('the write', () => files.writer.isWriting);
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout' || name === 'Immediate').length;
    const before = timers();
    for (let n = 1; n <= 10_000; n++) files.change(n, n % 2 === 0 ? AN_HOUR_MS : 0);
    assert.ok(timers() <= before + 1);
    await files.end();
    await files.end();
    assert.equal(files.begun.length, 2);
    assert.deepEqual(
      files.written.map(({ length }) => length),
      [1, 10_000],
    );
    assert.equal(files.writer.isPlanned, false);
  });

  test('the earliest time counts, before a write and during one', async () => {
    const files = new Files();
    files.change(1, AN_HOUR_MS);
    files.change(2, 0);
    files.change(3, AN_HOUR_MS);
    await files.end();
    files.change(4, 0);
    await waitFor('the write', () => files.writer.isWriting);
    files.change(5, AN_HOUR_MS);
    files.change(6, 0);
    await files.end();
    await files.end();
    assert.deepEqual(files.written, [[1, 2, 3], [4], [5, 6]]);
  });

  test('a write begins no earlier than asked', async () => {
    const files = new Files();
    const begun = performance.now();
    files.change(1, 50);
    await files.end();
    // A timer of Node may end a fraction of a millisecond early.
    assert.ok(performance.now() - begun >= 49);
  });

  test('without changes there is no write', async () => {
    const files = new Files();
    files.writer.within(0);
    await waitFor('the timer to end', () => !files.writer.isPlanned);
    await files.writer.flush();
    assert.deepEqual(files.begun, []);
  });

  test('flush waits for the write that runs, and then writes the rest at once', async () => {
    const files = new Files();
    files.change(1);
    await waitFor('the write', () => files.writer.isWriting);
    files.change(2, AN_HOUR_MS);
    const flushed = files.writer.flush();
    await files.end();
    await files.end();
    await flushed;
    assert.deepEqual(files.written, [[1], [2]]);
    assert.deepEqual(files.begun, [false, true]);
  });

  test('two flushes at the same time write each change once', async () => {
    const files = new Files();
    files.change(1, AN_HOUR_MS);
    const flushed = [files.writer.flush(), files.writer.flush()];
    await files.end();
    await Promise.all(flushed);
    assert.deepEqual(files.written, [[1]]);
    assert.equal(files.writer.isPlanned, false);
  });
});

describe('writing behind, while writes fail', () => {
  test('tries again, reports the first failure and the first success, and loses nothing', async () => {
    const files = new Files();
    files.change(1);
    await files.end(DISK_FULL);
    const failed = performance.now();
    assert.ok(files.writer.isFailing);
    // A change does not bring the retry forward.
    files.change(2);
    await files.end(DISK_FULL);
    assert.ok(performance.now() - failed >= 900, `${performance.now() - failed} ms`);
    files.change(3);
    await files.end();
    assert.deepEqual(files.written, [[1, 2, 3]]);
    assert.deepEqual(files.reports, ['failing: the disk is full', 'working']);
    assert.equal(files.writer.isFailing, false);
  });

  test('a change during the write that fails waits for the retry', async () => {
    const files = new Files();
    files.change(1);
    await waitFor('the write', () => files.writer.isWriting);
    files.change(2);
    await files.end(DISK_FULL);
    const failed = performance.now();
    await files.end();
    assert.ok(performance.now() - failed >= 900);
    assert.deepEqual(files.written, [[1, 2]]);
  });

  test('flush does not wait for the retry, and resolves when the write fails', async () => {
    const files = new Files();
    files.change(1);
    await files.end(DISK_FULL);
    const flushed = files.writer.flush();
    await files.end(DISK_FULL);
    await flushed;
    assert.deepEqual(files.waiting, [1]);
    assert.deepEqual(files.reports, ['failing: the disk is full']);
    files.writer.stop();
  });

  test('a failure that the owner found counts like one of a write', async () => {
    const files = new Files();
    files.waiting.push(1);
    files.writer.failed('cannot be opened');
    await files.end();
    assert.deepEqual(files.written, [[1]]);
    assert.deepEqual(files.reports, ['failing: cannot be opened', 'working']);
  });

  test('a write that throws is an error of flush, and the next write begins', async () => {
    let isBroken = true;
    let written = 0;
    const fail = (reason: string): never => assert.fail(reason);
    const broken = new WriteBehind({
      write: () => {
        if (isBroken) throw new Error('no state');
        written += 1;
        return Promise.resolve(E.right(undefined));
      },
      onFailing: fail,
    });
    await assert.rejects(broken.flush(), /no state/);
    assert.equal(broken.isWriting, false);
    isBroken = false;
    await broken.flush();
    assert.equal(written, 1);
  });
});

describe('the end of writing behind', () => {
  test('close during a write waits for it, and writes the rest once', async () => {
    const files = new Files();
    files.change(1);
    await waitFor('the write', () => files.writer.isWriting);
    files.change(2, AN_HOUR_MS);
    const closed = files.writer.close();
    files.change(3);
    await files.end();
    await files.end();
    await closed;
    assert.deepEqual(files.written, [[1], [2, 3]]);
    assert.equal(files.writer.isPlanned, false);
  });

  test('close ends, and sets no retry, if its write fails', async () => {
    const files = new Files();
    files.change(1);
    const closed = files.writer.close();
    await files.end(DISK_FULL);
    await closed;
    assert.deepEqual(files.reports, ['failing: the disk is full']);
    assert.equal(files.writer.isPlanned, false);
    assert.deepEqual(files.waiting, [1]);
  });

  test('after stop no write begins, whatever is asked', async () => {
    const files = new Files();
    files.change(1);
    files.writer.stop();
    files.change(2);
    await files.writer.flush();
    await files.writer.close();
    assert.equal(files.writer.isPlanned, false);
    assert.deepEqual(files.begun, []);
  });

  test('a write that runs at the stop ends, and no other begins', async () => {
    const files = new Files();
    files.change(1);
    await waitFor('the write', () => files.writer.isWriting);
    files.change(2);
    files.writer.stop();
    await files.end();
    assert.deepEqual(files.written, [[1]]);
    assert.equal(files.writer.isPlanned, false);
  });
});

test('whatever happens in whatever order, each change is written once and in order', async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('change', 'later') },
    { weight: 3, arbitrary: fc.constant('turn') },
    { weight: 2, arbitrary: fc.constant('end') },
    { weight: 1, arbitrary: fc.constantFrom('fail', 'flush') },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const files = new Files();
      const flushes: Promise<void>[] = [];
      let changes = 0;
      for (const each of steps) {
        if (each === 'change') files.change(changes++);
        else if (each === 'later') files.change(changes++, AN_HOUR_MS);
        else if (each === 'flush') flushes.push(files.writer.flush());
        else if (each === 'turn') await turn();
        else if (files.writer.isWriting) await files.end(each === 'end' ? E.right(undefined) : DISK_FULL);
      }
      const closed = files.writer.close();
      while (files.writer.isWriting) await files.end();
      await Promise.all([...flushes, closed]);
      assert.deepEqual(
        files.written.flat(),
        Array.from({ length: changes }, (_, n) => n),
      );
      assert.equal(files.writer.isPlanned, false);
    }),
    { numRuns: 200 },
  );
});
