import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isLeft } from 'fp-ts/lib/Either.js';
import { configKeyPath } from '../../../broker/config/config-seal.js';
import { ModuleConfigs } from '../../../broker/config/module-configs.js';
import type { Manifest } from '../../../schemas/manifest.js';
import { failure, success } from '../../support/either.js';
import { tempDir } from '../../support/temp-dir.js';

const SECRET = 'a secret that is long enough';
const HOST = { key: 'host', isSecret: false };
const TOKEN = { key: 'token', isSecret: true };

const manifest = (name: string, isMarked = true): Manifest => ({
  name,
  version: '1.0.0',
  description: 'Has a configuration.',
  actions: { a: { input: {}, output: {} } },
  events: {},
  config: {
    type: 'object',
    properties: {
      host: { type: 'string', default: 'localhost' },
      token: { type: 'string', ...(isMarked ? { sensitive: true } : {}) },
    },
  },
  start: { entry: './index.js' },
});

interface FileShape {
  readonly modules: Record<string, { keys: Record<string, { sealed: string }> }>;
}

describe('the configuration in a data directory', () => {
  const filled = (dir: string): string => {
    const configs = success(ModuleConfigs.open(dir));
    success(configs.set('red', HOST, 'example.org', 'operator'));
    success(configs.set('red', TOKEN, SECRET, '_ann'));
    success(configs.set('blue', TOKEN, 'another secret', 'operator'));
    return join(dir, 'config.json');
  };

  it('is there again with who set it, and the secret is in no file', async () => {
    await using dir = tempDir();
    const path = filled(dir.path);
    const again = success(ModuleConfigs.open(dir.path));
    const process = success(again.forProcess(manifest('red')));
    assert.deepEqual(process, {
      version: 2,
      config: { host: 'example.org', token: SECRET },
      secrets: [SECRET],
    });
    assert.equal(again.of('red').keys.token?.by, '_ann');
    assert.ok(!readFileSync(path, 'utf8').includes(SECRET));
    for (const file of [path, configKeyPath(dir.path)]) assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(join(dir.path, 'keys')).mode & 0o777, 0o700);
  });

  it('the same value is no change, and each other one is a version', async () => {
    await using dir = tempDir();
    filled(dir.path);
    const configs = success(ModuleConfigs.open(dir.path));
    assert.deepEqual(success(configs.set('red', TOKEN, SECRET, 'operator')), { version: 2, changed: false });
    assert.deepEqual(success(configs.set('red', TOKEN, 'new', 'operator')), { version: 3, changed: true });
    assert.deepEqual(success(configs.unset('red', 'host')), { version: 4, changed: true });
    assert.deepEqual(success(configs.unset('red', 'host')), { version: 4, changed: false });
    assert.deepEqual(success(configs.forProcess(manifest('red')))?.config, {
      host: 'localhost',
      token: 'new',
    });
    // Names that every object has are keys like others.
    for (const key of ['constructor', '__proto__', 'toString']) {
      assert.equal(success(configs.value('red', key)), undefined, key);
      assert.equal(success(configs.set('red', { key, isSecret: true }, key, 'operator')).changed, true);
      assert.equal(success(success(ModuleConfigs.open(dir.path)).value('red', key)), key);
    }
  });

  it('a key that a later version marks as secret is sealed from then on', async () => {
    await using dir = tempDir();
    const configs = success(ModuleConfigs.open(dir.path));
    success(configs.set('red', { key: 'token', isSecret: false }, SECRET, 'operator'));
    assert.ok(readFileSync(join(dir.path, 'config.json'), 'utf8').includes(SECRET));
    assert.equal(success(configs.forProcess(manifest('red')))?.config.token, SECRET);
    assert.ok(!readFileSync(join(dir.path, 'config.json'), 'utf8').includes(SECRET));
  });

  it('a sealed secret opens nowhere else, and not with one bit changed; the others still do', async () => {
    await using dir = tempDir();
    const path = filled(dir.path);
    const file = JSON.parse(readFileSync(path, 'utf8')) as FileShape;
    const sealed = file.modules.red?.keys.token?.sealed as string;
    const bytes = Buffer.from(sealed, 'base64');
    const flipped = [...bytes.keys()].map((at) => {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] as number) ^ (1 << (at % 8));
      return copy.toString('base64');
    });
    const cut = [0, 5, 12, 27, 28, bytes.length - 1].map((end) => bytes.subarray(0, end).toString('base64'));
    const ofBlue = file.modules.blue?.keys.token?.sealed as string;
    for (const text of [...flipped, ...cut, ofBlue, 'no base64 %']) {
      const changed = structuredClone(file);
      (changed.modules.red?.keys.token as { sealed: string }).sealed = text;
      writeFileSync(path, JSON.stringify(changed));
      const configs = success(ModuleConfigs.open(dir.path));
      const problem = failure(configs.forProcess(manifest('red')));
      assert.equal(problem.code, 'CONFIG_INVALID');
      assert.match(
        problem.message,
        /the stored secret red\.token cannot be opened.*tallystick config set red token/,
      );
      assert.equal(success(configs.forProcess(manifest('blue')))?.config.token, 'another secret');
      // A refused start has lost nothing.
      assert.equal(readFileSync(path, 'utf8'), JSON.stringify(changed));
    }
    const configs = success(ModuleConfigs.open(dir.path));
    success(configs.set('red', TOKEN, 'set again', 'operator'));
    assert.equal(success(configs.forProcess(manifest('red')))?.config.token, 'set again');
  });

  it('a damaged file or key stops the start with an error that names it, and stays as it is', async () => {
    await using dir = tempDir();
    const path = filled(dir.path);
    const whole = readFileSync(path, 'utf8');
    for (const text of [
      '',
      '{',
      whole.slice(0, -40),
      '{"version":2,"modules":{}}',
      '{"version":1,"modules":{"red":7}}',
    ]) {
      writeFileSync(path, text);
      const problem = failure(ModuleConfigs.open(dir.path));
      assert.equal(problem.code, 'DATA_DIR_UNUSABLE', text);
      assert.ok(problem.message.startsWith(path), problem.message);
      assert.ok(!problem.message.includes('example.org'), problem.message);
      assert.equal(readFileSync(path, 'utf8'), text);
    }
    writeFileSync(path, whole);
    const keyPath = configKeyPath(dir.path);
    const key = readFileSync(keyPath, 'utf8');
    for (const text of ['', 'AAAA', `${key.trim()}AAAA`, '§'.repeat(32)]) {
      writeFileSync(keyPath, text);
      assert.ok(failure(ModuleConfigs.open(dir.path)).message.startsWith(keyPath), text);
    }
    rmSync(keyPath);
    assert.equal(failure(ModuleConfigs.open(dir.path)).code, 'DATA_DIR_UNUSABLE');
    writeFileSync(keyPath, key);
    assert.ok(!isLeft(ModuleConfigs.open(dir.path)));
  });

  it('a removal forgets the secrets of that module alone', async () => {
    await using dir = tempDir();
    const path = filled(dir.path);
    const configs = success(ModuleConfigs.open(dir.path));
    success(configs.forget('red'));
    assert.ok(!readFileSync(path, 'utf8').includes('red'));
    assert.equal(success(configs.value('blue', 'token')), 'another secret');
    assert.deepEqual(success(configs.forProcess(manifest('red')))?.config, { host: 'localhost' });
  });
});
