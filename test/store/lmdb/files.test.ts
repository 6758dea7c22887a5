import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { open } from 'lmdb';
import { checkLmdbFiles } from '../../../store/lmdb/lmdb-files.js';

describe('LMDB files', () => {
  test('what is no database is told, instead of a crash of the process that opens it', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tally-lmdb-'));
    const data = join(dir, 'data.mdb');
    try {
      assert.ok(isRight(checkLmdbFiles(dir)), 'no database yet');
      const db = open({ path: dir });
      await db.put('key', 'value');
      await db.close();
      assert.ok(isRight(checkLmdbFiles(dir)), 'a real one');
      for (const bytes of [10, 16_384]) {
        writeFileSync(data, 'x'.repeat(bytes));
        const checked = checkLmdbFiles(dir);
        assert.ok(isLeft(checked) && checked.left.includes(data), `${bytes} bytes of something else`);
      }
      rmSync(data);
      mkdirSync(data);
      assert.ok(isLeft(checkLmdbFiles(dir)), 'a directory');
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
