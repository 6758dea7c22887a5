import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { makeDirs } from '../../../system/files/make-dirs.js';
import { runProgram } from '../../support/run-program.js';
import { tempDir } from '../../support/temp-dir.js';

const name = fc.stringMatching(/^[a-z]{1,3}$/);

describe('making directories', () => {
  it('makes what is not there, with its mode, and leaves what is', async () => {
    await using dir = tempDir();
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 6 }), (parts) => {
        const path = join(dir.path, ...parts);
        makeDirs(path);
        makeDirs(path);
        assert.ok(statSync(path).isDirectory());
        assert.equal(statSync(path).mode & 0o777, 0o700);
      }),
    );
  });

  it('says what is in the way', async () => {
    await using dir = tempDir();
    writeFileSync(join(dir.path, 'file'), '');
    assert.throws(() => makeDirs(join(dir.path, 'file')), /EEXIST/);
    assert.throws(() => makeDirs(join(dir.path, 'file', 'x', 'y')), /ENOTDIR/);
  });

  it('ends where a file system refuses all', { skip: process.platform !== 'linux' }, async () => {
    const url = new URL('../../../system/files/make-dirs.js', import.meta.url).href;
    for (const path of ['/proc/x', '/proc/x/y', '/proc/self/x', '/sys/x/y']) {
      const code = `import { makeDirs } from '${url}'; try { makeDirs('${path}') } catch (error) { console.log(error.code) }`;
      const { stdout } = await runProgram(process.execPath, ['--input-type=module', '-e', code], {
        timeoutMs: 10_000,
      });
      assert.match(stdout, /^E[A-Z]+\n$/, path);
    }
  });
});
