import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { tempDir } from '../support/temp-dir.js';
import { watchSources } from './watch-sources.js';

describe('watching the sources', () => {
  it('tells each file that changes, also in a new folder, and nothing that a build writes', async () => {
    await using dir = tempDir();
    for (const folder of ['dist', 'new']) mkdirSync(join(dir.path, folder));
    let changes = 0;
    const write = (file: string): void => writeFileSync(join(dir.path, file), `change ${++changes}\n`);
    write('a.ts');
    const seen = new Set<string>();
    const source = watchSources(dir.path, () => {
      write('dist/a.js');
      write('a.ts');
    });
    for await (const files of source) {
      for (const file of files) seen.add(file);
      if (seen.has('new/deep/b.ts')) break;
      mkdirSync(join(dir.path, 'new', 'deep'));
      write('new/deep/b.ts');
    }
    assert.deepEqual([...seen].toSorted(), ['a.ts', 'new/deep/b.ts']);
  });
});
