import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { isLeft } from 'fp-ts/lib/Either.js';
import { probeKernel } from '../../../system/cage/find-cage.js';
import { startBroker } from '../../support/broker.js';
import { moduleCommand, moduleStatus } from '../../support/modules.js';
import { sourceManifest, workingCode, writeSourceModule } from '../../support/source-module.js';
import { tempDir } from '../../support/temp-dir.js';

const probed = await probeKernel();
const skip = isLeft(probed)
  ? probed.left
  : probed.right.landlock === 0
    ? 'the kernel has no Landlock'
    : false;

const READS = `import { readFileSync } from 'node:fs'; const rate = Number(readFileSync('../settings/rate.txt', 'utf8'));`;

it('a module that the cage refuses a file says so, and runs when its manifest asks for the file', {
  skip,
}, async () => {
  await using dir = tempDir();
  mkdirSync(join(dir.path, 'settings'));
  writeFileSync(join(dir.path, 'settings', 'rate.txt'), '7');
  const at = join(dir.path, 'rates');
  const write = (change: object): string =>
    writeSourceModule(at, sourceManifest('rates', change), {
      'index.js': workingCode('rates', '(n) => n * rate', READS),
    });
  write({});
  await using broker = await startBroker({ args: ['--no-shipped', '--durability', 'os', '--module', at] });
  const { reason } = await moduleStatus(broker, 'rates', ({ state }) => state === 'crashed');
  assert.match(
    reason ?? '',
    /EACCES.*rate\.txt.*\(a cage refuses what the manifest does not ask for with `cage`\)/,
  );

  write({ cage: { read: ['../settings'] } });
  const { code, stderr } = await moduleCommand(broker, 'reload', 'rates', at, '--no-trial', '--grant');
  assert.equal(code, 0, stderr);
  assert.ok(
    broker.stderr.some((line) => line.endsWith('its cage has what its manifest asks for: read ../settings')),
    broker.stderr.join('\n'),
  );
});

it('a module that asks for the data directory does not start', { skip }, async () => {
  await using dir = tempDir();
  const at = join(dir.path, 'thief');
  writeSourceModule(at, sourceManifest('thief', { cage: { read: ['../data/keys'] } }), {
    'index.js': workingCode('thief'),
  });
  const args = ['--no-shipped', '--durability', 'os', '--module', at];
  await using broker = await startBroker({ dataDir: join(dir.path, 'data'), args });
  const { reason } = await moduleStatus(broker, 'thief', ({ state }) => state === 'crashed');
  assert.match(reason ?? '', /the manifest names .*keys, which is in the broker's data directory/);
});
