import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KeyStore } from '../../../broker/access/keys.js';
import { FaultError } from '../../../schemas/errors.js';
import { tempDir } from '../../support/temp-dir.js';

test('a key is made once, readable by its owner only', async () => {
  await using dir = tempDir();
  const { publicKey } = new KeyStore(join(dir.path, 'keys')).get('operator');
  const again = new KeyStore(join(dir.path, 'keys'));
  assert.equal(again.get('operator').publicKey, publicKey);
  assert.equal(statSync(again.path('operator')).mode & 0o777, 0o600);
  assert.notEqual(again.renew('operator').publicKey, publicKey);
});

test('a file without a key is named, and not replaced behind the back of those who have the key', async () => {
  await using dir = tempDir();
  const keys = new KeyStore(dir.path);
  writeFileSync(keys.path('operator'), '');
  assert.throws(
    () => keys.get('operator'),
    (error) =>
      error instanceof FaultError &&
      error.fault.code === 'DATA_DIR_UNUSABLE' &&
      error.message.includes(keys.path('operator')),
  );
  assert.equal(statSync(keys.path('operator')).size, 0);
});
