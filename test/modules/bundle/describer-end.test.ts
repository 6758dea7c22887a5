import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

test('a process that loads a module without an end ends when the one that asked was killed', {
  skip: process.platform !== 'linux',
}, async (t) => {
  await using home = tempDir();
  const bundle = join(home.path, 'index.mjs');
  // In its cage it writes no file.
  writeFileSync(bundle, 'process.stderr.write(String(process.pid)); while (true);');
  const url = new URL('../../../modules/bundle/describe-module.js', import.meta.url).href;
  const code = `import { describeModule } from '${url}'; await describeModule('${bundle}', { file: '${bundle}', cwd: '${home.path}' });`;
  const asker = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => asker.kill('SIGKILL'));
  let said = '';
  asker.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const pid = await waitFor('the module to be loaded', () => /^\d+$/.exec(said)?.[0]);
  assert.ok(existsSync(`/proc/${pid}`));
  asker.kill('SIGKILL');
  await once(asker, 'exit');
  await waitFor('its process to end', () => !existsSync(`/proc/${pid}`), 10_000);
});
