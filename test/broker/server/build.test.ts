import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { packageRoot } from '../../../system/files/package-root.js';
import { buildServer } from '../../../broker/server/build-server.js';
import { installServer } from '../../../broker/server/cache.js';
import { findServer } from '../../../broker/server/find.js';
import { SERVER_VERSION } from '../../../broker/server/version.js';
import { scratchDir, serveReleases } from './release-site.js';

describe('building a nats-server with go', () => {
  test('where there is no release it is built from the pinned module, whose sums are complete', async () => {
    using dir = scratchDir();
    await using empty = await serveReleases({});
    // The PATH of this machine without a nats-server, but with the directory of its go.
    const { NATS_SERVER: _named, ...env } = process.env;
    const goDir = (env.PATH ?? '').split(':').find((path) => isGoDir(path));
    assert.ok(goDir, 'this test needs go on PATH');
    const lines: string[] = [];
    const found = await findServer({
      env: {
        ...env,
        PATH: `${goDir}:/usr/bin:/bin`,
        TALLYSTICK_CACHE: dir.path,
        TALLYSTICK_RELEASES: empty.url,
      },
      onProgress: ({ message }) => lines.push(message),
    })();
    assert.ok(isRight(found), JSON.stringify(found));
    assert.equal(found.right.source, 'built');
    assert.equal(found.right.version, SERVER_VERSION);
    assert.ok(lines.some((line) => line.startsWith(`building nats-server ${SERVER_VERSION}`)));
  });

  test('a build that fails gives the last lines of go as its reason and installs nothing', async () => {
    using dir = scratchDir();
    const go = join(dir.path, 'go');
    writeFileSync(go, '#!/bin/sh\nfor n in 1 2 3 4 5 6; do echo line $n >&2; done\nexit 3\n', {
      mode: 0o755,
    });
    const build = buildServer({ version: SERVER_VERSION, env: { PATH: dir.path } });
    const outcome = await installServer(join(dir.path, 'cache'), SERVER_VERSION, build)();
    assert.ok(isLeft(outcome));
    assert.equal(
      outcome.left.message,
      'go build ended with exit code 3; line 2; line 3; line 4; line 5; line 6',
    );
  });

  test('a build that hangs is ended with all that it started', async () => {
    using dir = scratchDir();
    const go = join(dir.path, 'go');
    writeFileSync(go, '#!/bin/sh\n/bin/sleep 1000\n', { mode: 0o755 });
    const build = buildServer({ version: SERVER_VERSION, env: { PATH: dir.path }, timeoutMs: 100 });
    const outcome = await installServer(join(dir.path, 'cache'), SERVER_VERSION, build)();
    assert.ok(isLeft(outcome));
    assert.match(outcome.left.message, /SIGKILL \(limit 0\.1 s\)/);
  });

  test('the pinned module has a sum for every module that it names', () => {
    const read = (name: string): string =>
      readFileSync(join(packageRoot(), 'broker', 'server', 'gomod', name), 'utf8');
    const sums = read('go.sum').split('\n');
    const required = [...read('go.mod').matchAll(/^(?:require )?\s*(\S+\.\S+\/\S+) (v\S+)/gm)];
    assert.ok(required.length > 5);
    for (const [, module, version] of required) {
      for (const kind of ['', '/go.mod']) {
        assert.ok(
          sums.some((line) => line.startsWith(`${module} ${version}${kind} h1:`)),
          `${module}${kind}`,
        );
      }
    }
  });
});

const isGoDir = (path: string): boolean => {
  try {
    return readFileSync(join(path, 'go')).length > 0;
  } catch {
    return false;
  }
};
