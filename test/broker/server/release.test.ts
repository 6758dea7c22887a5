import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { cachedServerPath, installServer } from '../../../broker/server/cache.js';
import type { DownloadLimits } from '../../../broker/server/download.js';
import type { Progress } from '../../../broker/server/progress.js';
import { type ReleaseOptions, archiveName, fetchRelease, sumOf } from '../../../broker/server/release.js';
import { pinPath } from '../../../broker/server/pinned-server.js';
import { SERVER_VERSION } from '../../../broker/server/version.js';
import {
  ARCHIVE,
  archiveOf,
  realServer,
  scratchDir,
  serveReleases,
  sha256,
  wholeSite,
} from './release-site.js';

/** A site in this process answers within a second or two on the busiest machine. */
const LIMITS: DownloadLimits = { firstByteMs: 30_000, stallMs: 30_000, totalMs: 60_000 };
/** For a site that never answers. */
const SHORT: DownloadLimits = { ...LIMITS, firstByteMs: 300 };

describe('release', () => {
  let archive: Buffer;
  const made = scratchDir();
  before(async () => {
    archive = await archiveOf(realServer(), made.path);
  });
  after(() => made[Symbol.dispose]());

  const install = (dir: string, releases: string, more: Partial<ReleaseOptions> = {}) => {
    const env = { TALLYSTICK_RELEASES: releases };
    const options = { version: SERVER_VERSION, env, limits: LIMITS, ...more };
    return installServer(dir, SERVER_VERSION, fetchRelease(options))();
  };

  /** The reason of a refusal that left nothing behind. */
  const refusal = async (releases: string, more: Partial<ReleaseOptions> = {}): Promise<string> => {
    using dir = scratchDir();
    const outcome = await install(dir.path, releases, more);
    assert.ok(isLeft(outcome), 'it was installed');
    assert.deepEqual(readdirSync(dir.path), []);
    return outcome.left.message;
  };

  test('is fetched, verified and installed, and tells how far it is', async () => {
    using dir = scratchDir();
    await using site = await serveReleases(wholeSite(archive));
    const progress: Progress[] = [];
    const outcome = await install(dir.path, site.url, { onProgress: (step) => progress.push(step) });
    assert.ok(isRight(outcome), JSON.stringify(outcome));
    assert.equal(outcome.right, cachedServerPath(dir.path, SERVER_VERSION));
    assert.ok(readFileSync(outcome.right).equals(readFileSync(realServer())));
    const left = [outcome.right, pinPath(outcome.right)].map((path) => basename(path));
    assert.deepEqual(readdirSync(dir.path).sort(), left, 'nothing else is left in the cache');
    assert.deepEqual(site.asked, [`/v${SERVER_VERSION}/SHA256SUMS`, `/v${SERVER_VERSION}/${ARCHIVE}`]);
    assert.deepEqual([...new Set(progress.map(({ stage }) => stage))], ['download', 'verify', 'unpack']);
    const last = progress.filter(({ stage }) => stage === 'download').at(-1);
    assert.deepEqual([last?.done, last?.total], [archive.length, archive.length]);
  });

  test('a wrong sum is refused with both sums, before anything is unpacked', async () => {
    const wrong = 'ab'.repeat(32);
    await using site = await serveReleases({
      ...wholeSite(archive),
      SHA256SUMS: (response) => response.end(`${wrong}  ${ARCHIVE}\n`),
    });
    const stages: string[] = [];
    const reason = await refusal(site.url, { onProgress: ({ stage }) => stages.push(stage) });
    assert.ok(reason.includes(wrong) && reason.includes(sha256(archive)), reason);
    assert.ok(!stages.includes('unpack'));
  });

  test('a missing release, a missing sum and a closed port are reasons', async () => {
    await using empty = await serveReleases({});
    assert.match(await refusal(empty.url), /SHA256SUMS: HTTP 404/);
    await using sumless = await serveReleases({
      ...wholeSite(archive),
      SHA256SUMS: (response) => response.end(''),
    });
    assert.match(await refusal(sumless.url), /has no line for/);
    await using archiveless = await serveReleases({
      SHA256SUMS: wholeSite(archive).SHA256SUMS ?? assert.fail(),
    });
    assert.match(await refusal(archiveless.url), /tar\.gz: HTTP 404/);
    assert.match(await refusal('http://127.0.0.1:1'), /fetch failed|ECONNREFUSED|bad port/);
    assert.match(await refusal('http://no-such-host.invalid'), /no-such-host\.invalid/);
  });

  test('a server that does not answer, and one that stops in the middle, are given up in time', async () => {
    await using silent = await serveReleases({ SHA256SUMS: () => undefined });
    assert.match(await refusal(silent.url, { limits: SHORT }), /no answer within 0\.3 s/);
    const half = archive.subarray(0, archive.length / 2);
    await using stalled = await serveReleases({
      ...wholeSite(archive),
      [ARCHIVE]: (response) => response.setHeader('content-length', archive.length).write(half),
    });
    assert.match(
      await refusal(stalled.url, { limits: { ...LIMITS, stallMs: 300 } }),
      /it stalled after \d+ bytes/,
    );
    await using cut = await serveReleases({
      ...wholeSite(archive),
      [ARCHIVE]: (response) =>
        response.setHeader('content-length', archive.length).write(half, () => response.destroy()),
    });
    assert.match(await refusal(cut.url), /tar\.gz: /);
  });

  test('an archive without a server, or with another program under that name, is not installed', async () => {
    const program = process.platform === 'linux' ? '/bin/true' : '/usr/bin/true';
    using dir = scratchDir();
    const other = await archiveOf(program, dir.path);
    await using site = await serveReleases(wholeSite(other));
    assert.match(await refusal(site.url), /is no nats-server that runs here/);
    const garbage = Buffer.from('no archive at all');
    await using broken = await serveReleases(wholeSite(garbage));
    assert.match(await refusal(broken.url), /cannot be unpacked/);
  });

  test('a platform without a release is a reason, not a request', async () => {
    assert.match(await refusal('http://127.0.0.1:1', { platform: 'aix' }), /no official release for aix/);
    assert.equal(archiveName('2.15.1', 'darwin', 'arm64'), 'nats-server-v2.15.1-darwin-arm64.tar.gz');
  });

  test('sums are found with and without the mark of binary files and folders', () => {
    assert.equal(sumOf('AA  a.tar.gz\nbb *b.tar.gz\ncc  ./dist/c.tar.gz', 'a.tar.gz'), 'aa');
    assert.equal(sumOf('AA  a.tar.gz\nbb *b.tar.gz\ncc  ./dist/c.tar.gz', 'b.tar.gz'), 'bb');
    assert.equal(sumOf('AA  a.tar.gz\nbb *b.tar.gz\ncc  ./dist/c.tar.gz', 'c.tar.gz'), 'cc');
    assert.equal(sumOf('AA  a.tar.gz', 'd.tar.gz'), undefined);
  });
});
