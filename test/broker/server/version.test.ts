import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { packageRoot } from '../../../system/files/package-root.js';
import {
  MIN_SERVER_VERSION,
  SERVER_VERSION,
  checkServerVersion,
  compareVersions,
  parseServerVersion,
} from '../../../broker/server/version.js';

describe('server version', () => {
  test('is read from what nats-server prints, and from nothing else', () => {
    assert.equal(parseServerVersion('nats-server: v2.15.1\n'), '2.15.1');
    assert.equal(parseServerVersion('nats-server: v2.14.0-RC.3'), '2.14.0-RC.3');
    assert.equal(parseServerVersion('redis 7.0.1'), undefined);
    assert.equal(parseServerVersion('nats-server: dev'), undefined);
  });

  test('versions have the order of semantic versioning', () => {
    const ascending = [
      '1.9.9',
      '2.9.25',
      '2.10.0-RC.1',
      '2.10.0',
      '2.14.0-1',
      '2.14.0-RC',
      '2.14.0-RC.2',
      '2.14.0-RC.10',
      '2.14.0',
      '2.14.1',
    ];
    for (const [i, a] of ascending.entries()) {
      for (const [j, b] of ascending.entries()) {
        assert.equal(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${a} ${b}`);
      }
    }
  });

  test('the order of releases is that of their numbers', () => {
    const part = fc.nat({ max: 30 });
    fc.assert(
      fc.property(fc.tuple(part, part, part), fc.tuple(part, part, part), (a, b) => {
        const expected = a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
        assert.equal(Math.sign(compareVersions(a.join('.'), b.join('.'))), Math.sign(expected));
      }),
    );
  });

  test('a refusal names the version, the place, the minimum with its reason, and what to do', () => {
    assert.ok(isRight(checkServerVersion(MIN_SERVER_VERSION, '/x')));
    assert.ok(isRight(checkServerVersion(SERVER_VERSION, '/x')));
    const old = checkServerVersion('2.10.29', '/opt/nats-server');
    assert.ok(isLeft(old));
    assert.equal(old.left.code, 'SERVER_TOO_OLD');
    for (const part of ['2.10.29', '/opt/nats-server', '2.14.0', 'consumer reset', 'NATS_SERVER', 'PATH']) {
      assert.ok(old.left.message.includes(part), part);
    }
  });

  test('the Go module that is built requires the version that is fetched', () => {
    const goMod = readFileSync(join(packageRoot(), 'broker', 'server', 'gomod', 'go.mod'), 'utf8');
    assert.ok(goMod.includes(`require github.com/nats-io/nats-server/v2 v${SERVER_VERSION}\n`));
  });
});
