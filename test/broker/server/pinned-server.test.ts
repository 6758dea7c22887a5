import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { cachedServerPath } from '../../../broker/server/cache.js';
import { findServer } from '../../../broker/server/find.js';
import { ownPinPath, pinPath } from '../../../broker/server/pinned-server.js';
import { SERVER_VERSION } from '../../../broker/server/version.js';
import { scratchDir } from './release-site.js';

/** A machine that has a server in its cache only, and a broker that has used it once. Each run leaves a trace. */
const machine = async () => {
  const scratch = scratchDir();
  const [cache, pinDir, bin] = ['cache', 'broker', 'bin'].map((name) => join(scratch.path, name)) as [
    string,
    string,
    string,
  ];
  for (const dir of [cache, pinDir, bin]) mkdirSync(dir);
  const path = cachedServerPath(cache, SERVER_VERSION);
  const trace = join(scratch.path, 'ran');
  const program = (more = ''): Buffer =>
    Buffer.from(`#!/bin/sh\necho ran > ${trace}\necho nats-server: v${SERVER_VERSION}\n${more}`);
  const plant = (bytes: Uint8Array): void => {
    rmSync(path, { force: true });
    writeFileSync(path, bytes, { mode: 0o755 });
    rmSync(trace, { force: true });
  };
  const find = () => findServer({ env: { PATH: bin, TALLYSTICK_CACHE: cache }, isHereOnly: true, pinDir })();
  plant(program());
  assert.ok(isRight(await find()));
  return {
    path,
    pinDir,
    program,
    plant,
    find,
    hasRun: () => existsSync(trace),
    [Symbol.dispose]: () => scratch[Symbol.dispose](),
  };
};

const CHANGES = 40;

describe('the cached server', () => {
  test('one that was changed in any way is not run, and is refused by name', async () => {
    using at = await machine();
    const { path, program, plant, find, hasRun } = at;
    const whole = program();
    for (let i = 0; i < CHANGES; i++) {
      const place = Math.floor(Math.random() * whole.length);
      const flipped = Buffer.from(whole);
      flipped[place] = (flipped[place] as number) ^ (1 << (i % 8));
      const kinds = [flipped, whole.subarray(0, place), program('# more\n'), Buffer.from('')];
      plant(kinds[i % kinds.length] as Buffer);
      const outcome = await find();
      assert.ok(isLeft(outcome));
      assert.equal(outcome.left.code, 'SERVER_CHANGED', `change ${i} at ${place}`);
      assert.ok(outcome.left.message.includes(path));
      assert.equal(hasRun(), false);
    }
    plant(whole);
    assert.ok(isRight(await find()));
  });

  test('one that was planted with its checksum is noticed by a broker that used the one before', async () => {
    using at = await machine();
    const { path, pinDir, program, plant, find, hasRun } = at;
    plant(program('# another\n'));
    rmSync(pinPath(path));
    const outcome = await find();
    assert.ok(isLeft(outcome));
    assert.equal(outcome.left.code, 'SERVER_CHANGED');
    assert.ok(outcome.left.message.includes(ownPinPath(pinDir, path)));
    assert.equal(hasRun(), false);
  });

  test('one whose note is damaged is refused, and one without a note is noted', async () => {
    using at = await machine();
    const { path, find } = at;
    const noted = readFileSync(pinPath(path), 'utf8');
    for (const text of ['', 'x', noted.slice(1), `${noted}${noted}`]) {
      writeFileSync(pinPath(path), text);
      const outcome = await find();
      assert.ok(isLeft(outcome) && outcome.left.code === 'SERVER_CHANGED', JSON.stringify(text));
    }
    rmSync(pinPath(path));
    assert.ok(isRight(await find()));
    assert.equal(readFileSync(pinPath(path), 'utf8'), noted);
  });
});
