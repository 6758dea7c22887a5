import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Either, isLeft, isRight } from 'fp-ts/lib/Either.js';
import { cacheDir, cachedServerPath } from '../../../broker/server/cache.js';
import type { DownloadLimits } from '../../../broker/server/download.js';
import { type ServerBinary, findServer } from '../../../broker/server/find.js';
import { pinPath } from '../../../broker/server/pinned-server.js';
import { SERVER_VERSION } from '../../../broker/server/version.js';
import type { Fault } from '../../../schemas/errors.js';
import { compiled, runScript } from '../../system/processes/node-script.js';
import { ARCHIVE, archiveOf, realServer, scratchDir, serveReleases, wholeSite } from './release-site.js';

const LIMITS: DownloadLimits = { firstByteMs: 30_000, stallMs: 30_000, totalMs: 60_000 };
/** Nothing listens on it. */
const NO_RELEASES = 'http://127.0.0.1:9';

/** A machine in a directory: an empty PATH, an empty cache, no release and no go, but for what the test adds. */
const machine = () => {
  const dir = scratchDir();
  const bin = join(dir.path, 'bin');
  mkdirSync(bin);
  const cache = join(dir.path, 'cache');
  const env: NodeJS.ProcessEnv = { PATH: bin, TALLYSTICK_CACHE: cache, TALLYSTICK_RELEASES: NO_RELEASES };
  return { bin, cache, env, [Symbol.dispose]: () => dir[Symbol.dispose]() };
};

const find = (env: NodeJS.ProcessEnv) => findServer({ env, limits: LIMITS })();

/** A program that calls itself a nats-server of that version. */
const pretend = (path: string, version: string): string => {
  writeFileSync(path, `#!/bin/sh\necho nats-server: v${version}\n`, { mode: 0o755 });
  return path;
};

const found = (outcome: Either<Fault, ServerBinary>): ServerBinary => {
  assert.ok(isRight(outcome), JSON.stringify(outcome));
  return outcome.right;
};

const refused = (outcome: Either<Fault, ServerBinary>): Fault => {
  assert.ok(isLeft(outcome), JSON.stringify(outcome));
  return outcome.left;
};

describe('finding a nats-server', () => {
  let archive: Buffer;
  const made = scratchDir();
  before(async () => {
    archive = await archiveOf(realServer(), made.path);
  });
  after(() => made[Symbol.dispose]());

  test('the one named in NATS_SERVER is used before the one on PATH', async () => {
    using at = machine();
    pretend(join(at.bin, 'nats-server'), '2.99.0');
    const server = found(await find({ ...at.env, NATS_SERVER: realServer() }));
    assert.deepEqual(server, { path: realServer(), version: SERVER_VERSION, source: 'NATS_SERVER' });
  });

  test('a NATS_SERVER that does not work is an error, whatever else there is', async () => {
    using at = machine();
    symlinkSync(realServer(), join(at.bin, 'nats-server'));
    const missing = refused(await find({ ...at.env, NATS_SERVER: join(at.bin, 'nothing') }));
    assert.equal(missing.code, 'SERVER_NOT_FOUND');
    assert.match(missing.message, /NATS_SERVER=.*no such file/);
    const other = refused(await find({ ...at.env, NATS_SERVER: process.execPath }));
    assert.match(other.message, /is no nats-server/);
    const old = refused(await find({ ...at.env, NATS_SERVER: pretend(join(at.bin, 'old'), '2.10.0') }));
    assert.equal(old.code, 'SERVER_TOO_OLD');
  });

  test('the one on PATH is used; one that is too old is passed over for a newer one behind it', async () => {
    using at = machine();
    using more = scratchDir();
    symlinkSync(realServer(), join(at.bin, 'nats-server'));
    assert.equal(found(await find(at.env)).source, 'PATH');
    pretend(join(more.path, 'nats-server'), '2.11.0');
    const server = found(await find({ ...at.env, PATH: `${more.path}:${at.bin}` }));
    assert.deepEqual([server.source, server.path], ['PATH', join(at.bin, 'nats-server')]);
  });

  test('where nothing works each thing that was tried stands on a line of its own with its reason', async () => {
    using at = machine();
    const fault = refused(await find(at.env));
    assert.equal(fault.code, 'SERVER_NOT_FOUND');
    const lines = fault.message.split('\n');
    for (const [line, start] of [
      'no nats-server',
      '  PATH: ',
      '  cache: ',
      '  release: ',
      '  go build: ',
    ].entries()) {
      assert.ok(lines[line]?.startsWith(start), fault.message);
    }
    assert.match(lines[4] ?? '', /there is no "go" on PATH/);
    assert.match(lines[5] ?? '', /^Install nats-server .* NATS_SERVER/);
  });

  test('where the only one is too old the error says so and what to do', async () => {
    using at = machine();
    pretend(join(at.bin, 'nats-server'), '2.10.0');
    const fault = refused(await find(at.env));
    assert.equal(fault.code, 'SERVER_TOO_OLD');
    assert.match(fault.message, /PATH: nats-server 2\.10\.0 at .*2\.14\.0 or newer/);
  });

  test('a release is fetched once and then comes from the cache', async () => {
    using at = machine();
    await using site = await serveReleases(wholeSite(archive));
    const env = { ...at.env, TALLYSTICK_RELEASES: site.url };
    assert.equal(found(await find(env)).source, 'release');
    const again = found(await find(env));
    assert.deepEqual([again.source, again.path], ['cache', cachedServerPath(at.cache, SERVER_VERSION)]);
    assert.equal(site.asked.length, 2);
  });

  test('a damaged binary in the cache is replaced, not used', async () => {
    using at = machine();
    await using site = await serveReleases(wholeSite(archive));
    mkdirSync(at.cache);
    const path = cachedServerPath(at.cache, SERVER_VERSION);
    writeFileSync(path, 'half a bin', { mode: 0o755 });
    assert.equal(found(await find({ ...at.env, TALLYSTICK_RELEASES: site.url })).source, 'release');
    assert.equal(found(await find(at.env)).source, 'cache');
  });

  const FINDER = `
    import { findServer } from '${compiled('broker/server/find.js')}';
    const outcome = await findServer({ onProgress: ({ done }) => done && console.log('downloading') })();
    console.log(JSON.stringify(outcome));
  `;

  test('a start that is killed in a download leaves no half binary, and the next one succeeds', async () => {
    using at = machine();
    const half = archive.subarray(0, archive.length / 2);
    await using stalled = await serveReleases({
      ...wholeSite(archive),
      [ARCHIVE]: (response) => response.setHeader('content-length', archive.length).write(half),
    });
    const finder = runScript(FINDER, [], { ...at.env, TALLYSTICK_RELEASES: stalled.url });
    assert.equal(await finder.nextLine(), 'downloading');
    await finder.kill();
    assert.ok(!existsSync(cachedServerPath(at.cache, SERVER_VERSION)));
    const [leftover] = readdirSync(at.cache);
    assert.ok(leftover !== undefined, 'the killed start had begun');
    // As if the kill were long ago: only then is it known to be nobody's.
    utimesSync(join(at.cache, leftover), 0, 0);
    await using site = await serveReleases(wholeSite(archive));
    assert.equal(found(await find({ ...at.env, TALLYSTICK_RELEASES: site.url })).source, 'release');
    const server = basename(cachedServerPath(at.cache, SERVER_VERSION));
    assert.deepEqual(readdirSync(at.cache).sort(), [server, pinPath(server)]);
  });

  test('two starts at once both get a whole server', async () => {
    using at = machine();
    await using site = await serveReleases(wholeSite(archive));
    const env = { ...at.env, TALLYSTICK_RELEASES: site.url };
    const outcomes = await Promise.all(
      [0, 1].map(async () => {
        const finder = runScript(FINDER, [], env);
        let line = await finder.nextLine();
        while (!line.startsWith('{')) line = await finder.nextLine();
        return JSON.parse(line) as Either<Fault, ServerBinary>;
      }),
    );
    for (const outcome of outcomes) assert.equal(found(outcome).version, SERVER_VERSION);
    assert.equal(found(await find(at.env)).source, 'cache');
  });

  test('a cache that cannot be written is a reason', async () => {
    using at = machine();
    writeFileSync(at.cache, '');
    assert.match(
      refused(await find(at.env)).message,
      /release: it cannot be put into the cache .*TALLYSTICK_CACHE/,
    );
  });

  test('the cache lies where the person or the platform says', () => {
    assert.equal(cacheDir({ TALLYSTICK_CACHE: '/c', XDG_CACHE_HOME: '/x', HOME: '/h' }), '/c');
    assert.equal(cacheDir({ XDG_CACHE_HOME: '/x', HOME: '/h' }), '/x/tallystick');
    assert.equal(cacheDir({ HOME: '/h' }, 'linux'), '/h/.cache/tallystick');
    assert.equal(cacheDir({ HOME: '/h' }, 'darwin'), '/h/Library/Caches/tallystick');
    assert.equal(dirname(cachedServerPath('/c', '2.15.1')), '/c');
  });
});
