import assert from 'node:assert/strict';
import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ModuleCages } from '../../../broker/supervisor/module-cages.js';
import { sourceManifest } from '../../support/source-module.js';
import { tempDir } from '../../support/temp-dir.js';

test('a host that waits is not for a module whose directory was removed and made again', async () => {
  await using home = tempDir();
  const dataDir = realpathSync(home.path);
  const dir = join(dataDir, 'modules', 'third', 'build');
  const manifest = sourceManifest('third', {});
  const source = { dir, manifestPath: join(dir, 'manifest.json'), manifest };
  const cage = { layers: new Set(['files'] as const), landlock: 5, perl: 'perl' };
  const cages = new ModuleCages({ cage, dataDir, natsUrl: 'nats://127.0.0.1:4222', isShared: true });
  mkdirSync(dir, { recursive: true });
  const before = cages.keyOf(source);
  assert.equal(cages.keyOf(source), before);
  rmSync(join(dataDir, 'modules', 'third'), { recursive: true });
  mkdirSync(dir, { recursive: true });
  assert.notEqual(cages.keyOf(source), before);
});
