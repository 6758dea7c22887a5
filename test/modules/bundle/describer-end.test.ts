import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

test('a process that loads a module without an end ends when the one that asked was killed', {
  skip: process.platform !== 'linux',
}, async (t) => {
  await using home = tempDir();
  const bundle = join(home.path, 'index.mjs');
  const loaded = join(home.path, 'loaded');
  writeFileSync(
    bundle,
    `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(loaded)}, String(process.pid)); while (true);`,
  );
  const url = new URL('../../../modules/bundle/describe-module.js', import.meta.url).href;
  const code = `import { describeModule } from '${url}'; await describeModule('${bundle}', { file: '${bundle}', cwd: '${home.path}' });`;
  const asker = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' });
  t.after(() => asker.kill('SIGKILL'));
  // The file is there before the number is in it.
  const pid = await waitFor('the module to be loaded', () => readFileSync(loaded, 'utf8') || undefined);
  assert.ok(existsSync(`/proc/${pid}`));
  asker.kill('SIGKILL');
  await once(asker, 'exit');
  await waitFor('its process to end', () => !existsSync(`/proc/${pid}`), 10_000);
});
