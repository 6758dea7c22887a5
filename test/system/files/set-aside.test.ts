import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { it } from 'node:test';
import { setAside, setAsideDerived } from '../../../system/files/set-aside.js';
import { tempDir } from '../../support/temp-dir.js';

it('what cannot be used keeps its content under a name that says so', async () => {
  await using dir = tempDir();
  const path = join(dir.path, 'witness');
  writeFileSync(path, 'x');
  const aside = setAside(path);
  assert.match(basename(aside), /^witness\.damaged-\d+$/);
  assert.deepEqual([existsSync(path), existsSync(aside)], [false, true]);
});

it('of what the log can make again only the newest copy is kept, also when an earlier version kept one', async () => {
  await using dir = tempDir();
  const isOriginal = (name: string): boolean => /^g\d+$/.test(name);
  for (const name of ['damaged', 'g1.damaged-5', 'g2', 'g3', 'other.damaged-5', 'mine'])
    mkdirSync(join(dir.path, name));
  const aside = setAsideDerived(join(dir.path, 'g3'), { isOriginal, oldName: 'damaged' });
  assert.deepEqual(readdirSync(dir.path).sort(), ['g2', basename(aside), 'mine', 'other.damaged-5'].sort());
});
