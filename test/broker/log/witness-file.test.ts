import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { addMark, type Mark } from '../../../broker/log/marks.js';
import { type Memory, readWitness, witnessPath, writeWitness } from '../../../broker/log/witness-file.js';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { compiled, runScript } from '../../system/processes/node-script.js';
import { startBroker } from '../../support/broker.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const memoryIn = (dir: string): Memory | undefined => {
  const read = readWitness(dir);
  assert.ok(isRight(read), JSON.stringify(read));
  return read.right;
};

const MEMORY = {
  logId: '2026-01-02T03:04:05.678Z',
  marks: [
    { k: 0, seq: 3, digest: 'aa' },
    { k: 1, seq: 90, digest: 'bb' },
  ],
};

describe('marks', () => {
  it('are few, keep the first and the latest, and lie closer the newer they are', () => {
    let marks: readonly Mark[] = [];
    for (let seq = 1; seq <= 100_000; seq++) marks = addMark(marks, seq, 'x');
    assert.ok(marks.length < 150, `${marks.length}`);
    assert.equal(marks[0]?.seq, 1);
    assert.equal(marks.at(-1)?.seq, 100_000);
    // Whatever was lost, a mark stands not much farther back than the loss is long.
    for (let lost = 1; lost < 100_000; lost *= 2) {
      const end = 100_000 - lost;
      const below = marks.findLast(({ seq }) => seq <= end)?.seq ?? 0;
      assert.ok(end - below <= Math.max(1, lost), `${lost} lost: agreed to ${below} of ${end}`);
    }
  });

  it('stay in order whatever is marked', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1_000 }), { maxLength: 300 }), (steps) => {
        let marks: readonly Mark[] = [];
        let seq = 0;
        for (const step of steps) {
          seq += step;
          marks = addMark(marks, seq, `${seq}`);
        }
        assert.equal(marks.at(-1)?.seq ?? 0, seq);
        for (const [i, mark] of marks.entries()) {
          assert.ok(i === 0 || mark.seq > (marks[i - 1] as Mark).seq);
          assert.equal(mark.digest, `${mark.seq}`);
        }
      }),
    );
  });
});

describe('the file of the witness', () => {
  it('gives back what was written', async () => {
    await using dir = tempDir();
    assert.equal(memoryIn(dir.path), undefined);
    await writeWitness(dir.path, MEMORY);
    assert.deepEqual(memoryIn(dir.path), MEMORY);
  });

  it('that is damaged in any byte is said to be and kept', async () => {
    await using dir = tempDir();
    await writeWitness(dir.path, MEMORY);
    const path = witnessPath(dir.path);
    const good = readFileSync(path);
    const flipped = (at: number): Buffer => {
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] as number) ^ 1;
      return bytes;
    };
    // Not the line end behind the checksum, which says nothing.
    const damaged = [...good.subarray(0, -1).keys()].map(flipped);
    for (const bytes of [...damaged, good.subarray(0, 40), Buffer.alloc(0), Buffer.alloc(good.length)]) {
      writeFileSync(path, bytes);
      const read = readWitness(dir.path);
      assert.ok(isLeft(read));
      const [, aside = ''] = /it is kept as (.*)$/.exec(read.left) ?? [];
      assert.deepEqual(readFileSync(aside), bytes);
      assert.equal(existsSync(path), false);
    }
  });

  it('is the old one or the new one whenever its writer is killed', async () => {
    await using dir = tempDir();
    for (let round = 0; round < 20; round++) {
      const writer = runScript(
        `import { writeWitness } from '${compiled('broker/log/witness-file.js')}';
         for (let k = 0; ; k++) {
           await writeWitness(${JSON.stringify(dir.path)}, { logId: 'a', marks: Array(200).fill({ k, seq: k, digest: 'x' }) });
           if (k === ${round % 5}) console.log('writes');
         }`,
      );
      await writer.nextLine();
      await writer.kill();
      assert.equal(memoryIn(dir.path)?.marks.length, 200);
    }
    assert.deepEqual(
      readdirSync(dir.path).filter((name) => name.includes('damaged')),
      [],
    );
  });

  it('that is damaged is not taken for a loss: the broker says so, keeps it and begins anew', async () => {
    await using dir = tempDir();
    const args = ['--durability', 'os', '--no-shipped', '--on-log-loss', 'stop'];
    const start = () => startBroker({ dataDir: dir.path, args });
    {
      await using broker = await start();
      await broker.stop();
    }
    const path = witnessPath(dir.path);
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, 50));
    writeFileSync(`${path}.new`, 'half');
    await using broker = await start();
    assert.ok(
      broker.stderr.some((line) => /cannot be told: .*; it is kept as .*witness\.damaged-\d+/.test(line)),
      broker.stderr.join('\n'),
    );
    await waitFor('a new witness', () => (memoryIn(dir.path)?.marks.length ?? 0) > 0);
    await broker.stop();
    assert.equal(existsSync(join(dir.path, 'lost')), false);
  });
});
