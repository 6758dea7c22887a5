import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { librariesIn, missingIn } from '../../perf/peers/debian-packages.js';
import { javaMajor } from '../../perf/peers/kafka-server.js';
import { serverPackageIn } from '../../perf/peers/postgres-server.js';
import { findRedis, parseVersion } from '../../perf/peers/redis-server.js';

describe('finding peers', () => {
  test('the version that redis-server prints is read, or there is none', () => {
    assert.equal(
      parseVersion('Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64\n'),
      '7.0.15',
    );
    assert.equal(parseVersion('nothing'), undefined);
  });

  test('a Redis that is not where REDIS_SERVER says is left out, and that is said', async () => {
    const before = process.env.REDIS_SERVER;
    process.env.REDIS_SERVER = '/nowhere/redis-server';
    try {
      const said: string[] = [];
      assert.equal(await findRedis((line) => said.push(line)), undefined);
      assert.match(said.join('\n'), /without Redis as a peer: .*\/nowhere\/redis-server/);
    } finally {
      if (before === undefined) delete process.env.REDIS_SERVER;
      else process.env.REDIS_SERVER = before;
    }
  });

  test('of the packages that a package depends on, the libraries but the C library are taken', () => {
    const depends = [
      'redis-tools',
      '  Depends: adduser',
      '  Depends: libc6',
      '  PreDepends: libssl3',
      ' |Depends: libsystemd0',
      '    libelogind0',
      '  Depends: libssl3',
      '  Suggests: libruby',
    ].join('\n');
    assert.deepEqual(librariesIn(depends), ['libssl3', 'libsystemd0']);
  });

  test('libraries that a program lacks are read from what ldd prints', () => {
    const ldd =
      '\tlinux-vdso.so.1 (0x00007f)\n\tliblzf.so.1 => not found\n\tlibm.so.6 => /lib/libm.so.6 (0x00007f)\n';
    assert.deepEqual(missingIn(ldd), ['liblzf.so.1']);
    assert.deepEqual(missingIn('\tstatically linked\n'), []);
  });

  test('the release of Java and the package of PostgreSQL are read from what the programs print', () => {
    assert.equal(javaMajor('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment\n'), 17);
    assert.equal(javaMajor('java version "1.8.0_392"\n'), 1);
    assert.equal(javaMajor('no such thing'), 0);
    assert.equal(
      serverPackageIn('postgresql\n  Depends: postgresql-15\n  Suggests: postgresql-doc\n'),
      'postgresql-15',
    );
    assert.equal(serverPackageIn('postgresql\n'), undefined);
  });
});
