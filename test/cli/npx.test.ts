import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { tallystickPath } from '../support/program-paths.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { runProgram } from '../support/run-program.js';
import { tempDir } from '../support/temp-dir.js';

it('npx runs the program in the folder of the source, and the first one builds nothing under a broker that runs', async () => {
  const { version } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  // npx makes the file executable when its cache does not know this folder, and only then.
  assert.equal(statSync(tallystickPath()).mode & 0o111, 0o111);
  await using cache = tempDir();
  const built = statSync(tallystickPath()).mtimeMs;
  for (const time of ['first', 'second']) {
    const { code, stdout, stderr } = await runProgram('npx', ['tallystick', '--version'], {
      cwd: PROJECT_ROOT,
      env: { npm_config_cache: cache.path },
    });
    assert.deepEqual([code, stdout], [0, `${version}\n`], `${time}: ${stderr}`);
    assert.equal(statSync(tallystickPath()).mtimeMs, built, time);
  }
});
