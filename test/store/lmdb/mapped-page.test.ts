import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { mapPage } from '../../../store/lmdb/mapped-page.js';
import { PROJECT_ROOT } from '../../support/project-root.js';
import { tempDir } from '../../support/temp-dir.js';

const VALUE = Buffer.concat([Buffer.from('the page begins'), Buffer.alloc(8_200)]);

describe('a mapped page', () => {
  it('what is written in memory is in the file at once', async () => {
    await using dir = tempDir();
    const path = join(dir.path, 'page');
    const page = await mapPage(path, VALUE);
    assert.ok(page !== undefined, 'lmdb gives no map: every command costs system calls');
    assert.deepEqual(Buffer.from(page.bytes), VALUE);
    const words = Buffer.from('written in memory');
    page.bytes.set(words, 100);
    assert.ok(readFileSync(path).includes(words));
    await page.close();
  });

  it('a file that was there is replaced, whatever it was', async () => {
    await using dir = tempDir();
    const path = join(dir.path, 'page');
    for (const bytes of [Buffer.alloc(0), Buffer.from('no database'), Buffer.alloc(100_000, 1)]) {
      writeFileSync(path, bytes);
      const page = await mapPage(path, VALUE);
      assert.deepEqual(page && Buffer.from(page.bytes), VALUE);
      await page?.close();
    }
  });

  const program = pathToFileURL(join(PROJECT_ROOT, 'dist', 'store', 'lmdb', 'mapped-page.js')).href;
  const ends = {
    abort: 'process.abort()',
    exit: 'process.exit(9)',
    kill: "process.kill(process.pid, 'SIGKILL')",
    segv: "process.kill(process.pid, 'SIGSEGV')",
    memory: 'const all = []; for (;;) all.push(new Array(1e5).fill(all.length))',
  };
  for (const [name, end] of Object.entries(ends)) {
    it(`what was written last outlives the process: ${name}`, async () => {
      await using dir = tempDir();
      const path = join(dir.path, 'page');
      const code = `
        const { mapPage } = await import(${JSON.stringify(program)});
        const page = await mapPage(${JSON.stringify(path)}, Buffer.alloc(8_200, 1));
        for (let i = 0; i < 1_000; i++) page.bytes[5_000] = i;
        page.bytes.set(Buffer.from('its last words'), 4_000);
        console.log('written');
        ${end};`;
      const args = ['--max-old-space-size=32', '--input-type=module', '--eval', code];
      const ended = spawnSync(process.execPath, args, { encoding: 'utf8' });
      assert.equal(ended.stdout, 'written\n', ended.stderr);
      assert.notEqual(ended.status, 0);
      assert.ok(readFileSync(path).includes('its last words'));
    });
  }
});
