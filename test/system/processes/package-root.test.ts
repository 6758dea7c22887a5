import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../../system/files/package-root.js';
import { FaultError } from '../../../schemas/errors.js';

describe('package root', () => {
  test('is found from the compiled code, and what ships beside the sources is below it', () => {
    assert.ok(existsSync(join(packageRoot(), 'package.json')));
    assert.ok(existsSync(join(packageRoot(), 'broker', 'server', 'gomod', 'go.sum')));
  });

  test('a file outside the package is told as a fault of the package', () => {
    assert.throws(() => packageRoot(pathToFileURL('/dev/null').href), FaultError);
  });
});
