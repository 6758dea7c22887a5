import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { librariesIn, missingIn } from '../../perf/peers/debian-packages.js';
import { findRedis, parseVersion } from '../../perf/peers/redis-server.js';
import { decodeReply, encodeCommand } from '../../perf/peers/resp.js';

const REPLIES = [
  { text: '+OK\r\n', reply: 'OK' },
  { text: ':42\r\n', reply: 42 },
  { text: '$-1\r\n', reply: null },
  { text: '$0\r\n\r\n', reply: '' },
  { text: '$7\r\n\u00fc\r\n$1x\r\n', reply: '\u00fc\r\n$1x' },
] as const;

describe('the client for Redis', () => {
  test('a command is an array of bulk strings, with lengths in bytes', () => {
    assert.equal(encodeCommand(['SET', 'a', 'ü']), '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\nü\r\n');
  });

  test('replies one behind the other are read, and one that is cut off anywhere is not read yet', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...REPLIES), { minLength: 1, maxLength: 5 }), (replies) => {
        const bytes = Buffer.from(replies.map(({ text }) => text).join(''));
        let at = 0;
        for (const { text, reply } of replies) {
          const end = at + Buffer.byteLength(text);
          for (let cut = at; cut < end; cut++)
            assert.equal(decodeReply(bytes.subarray(0, cut), at), undefined);
          assert.deepEqual(decodeReply(bytes, at), { reply, next: end });
          at = end;
        }
      }),
    );
  });

  test('an error is a value, and what is no reply throws', () => {
    const refused = decodeReply(Buffer.from('-ERR no\r\n'), 0)?.reply;
    assert.ok(refused instanceof Error);
    assert.equal(refused.message, 'ERR no');
    assert.throws(() => decodeReply(Buffer.from('HTTP/1.1 400\r\n'), 0), /cannot be read/);
  });
});

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
});
