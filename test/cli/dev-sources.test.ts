import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { findDevSources } from '../../bin/dev/dev-sources.js';
import { findEntry } from '../../modules/bundle/find-entry.js';
import { failure, success } from '../support/either.js';
import { tempDir } from '../support/temp-dir.js';

const project = (files: Readonly<Record<string, string>>) => {
  const dir = tempDir();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir.path, path)), { recursive: true });
    writeFileSync(join(dir.path, path), text);
  }
  return dir;
};

const settings = (modules: unknown): string => JSON.stringify({ tallystick: { modules } });

describe('a package.json that dev cannot use', () => {
  const LIST = 'write a path, or a list of paths such as ["./src/modules"]';
  const wrong: readonly (readonly [title: string, text: string, message: string | RegExp])[] = [
    [
      'a comma too much',
      '{\n  "name": "shop",\n}',
      'package.json:2:17: JSON does not support trailing commas\n2 |   "name": "shop",\n  |                 ^',
    ],
    [
      'a missing comma',
      '{\n  "name": "shop"\n  "tallystick": {}\n}',
      /^package\.json:3:3: Expected "," in JSON but found "\\"tallystick\\""\n3 |/,
    ],
    ['nothing', '', /^package\.json:1:1: Unexpected end of file in JSON/],
    ['half a file', '{ "tallystick": {', /^package\.json:1:18: .*end of file/],
    ['a list', '[]', 'package.json is a list: write an object'],
    ['null', 'null', 'package.json is null: write an object'],
    [
      'a string of settings',
      '{"tallystick":"./src"}',
      /^package\.json: tallystick is a string: write \{ "modules"/,
    ],
    ['a list of settings', '{"tallystick":["./src"]}', /^package\.json: tallystick is a list: write \{/],
    ['no settings', '{"tallystick":null}', /^package\.json: tallystick is null: write \{/],
    [
      'another setting',
      '{"tallystick":{"module":"./src"}}',
      'package.json: tallystick.module is no setting: the one setting is tallystick.modules',
    ],
    ['a number', settings(1), `package.json: tallystick.modules is a number: ${LIST}`],
    ['an object', settings({ path: './src' }), `package.json: tallystick.modules is an object: ${LIST}`],
    ['a boolean', settings(true), `package.json: tallystick.modules is a boolean: ${LIST}`],
    ['null as the path', settings(null), `package.json: tallystick.modules is null: ${LIST}`],
    ['an empty path', settings(''), `package.json: tallystick.modules is empty: ${LIST}`],
    ['no path', settings([]), `package.json: tallystick.modules is empty: ${LIST}`],
    [
      'a number among paths',
      settings(['./modules', 7]),
      `package.json: tallystick.modules[1] is a number: ${LIST}`,
    ],
    [
      'a list among paths',
      settings([['./modules']]),
      `package.json: tallystick.modules[0] is a list: ${LIST}`,
    ],
    ['an empty path among paths', settings(['']), `package.json: tallystick.modules[0] is empty: ${LIST}`],
    [
      'a path of nothing',
      settings('./none.ts'),
      /^package\.json: tallystick\.modules: there is no .*\/none\.ts$/,
    ],
  ];
  for (const [title, text, message] of wrong)
    it(`is an error that names the place: ${title}`, async () => {
      // Without the error, dev would take this folder.
      await using dir = project({ 'package.json': text, 'modules/one.ts': '' });
      const why = failure(findDevSources([], dir.path));
      assert.equal(why.code, 'USAGE');
      if (typeof message === 'string') assert.equal(why.message, message);
      else assert.match(why.message, message);
    });

  it('is an error also if it cannot be read', async () => {
    await using dir = project({ 'package.json/file': '', 'modules/one.ts': '' });
    assert.equal(
      failure(findDevSources([], dir.path)).message,
      'package.json cannot be read: it is a directory, not a file',
    );
  });

  it('does not matter if you name the sources', async () => {
    await using dir = project({ 'package.json': '{', 'modules/one.ts': '' });
    const { files } = success(findDevSources(['./modules'], dir.path));
    assert.deepEqual(
      files.map((file) => relative(dir.path, file)),
      ['modules/one.ts'],
    );
  });
});

describe('a package.json that dev can use', () => {
  const good: readonly (readonly [title: string, text: string | undefined, files: readonly string[]])[] = [
    ['none', undefined, ['modules/one.ts']],
    ['without settings', '{}', ['modules/one.ts']],
    ['with empty settings', '{"tallystick":{}}', ['modules/one.ts']],
    ['with a byte order mark', `\uFEFF${settings('./src/two.ts')}`, ['src/two.ts']],
    ['with one path', settings('./src/two.ts'), ['src/two.ts']],
    ['with paths', settings(['./src', './modules']), ['src/two.ts', 'modules/one.ts']],
    ['of npm init', '{"name":"shop","main":"index.js"}', ['modules/one.ts']],
  ];
  for (const [title, text, expected] of good)
    it(`names the sources: ${title}`, async () => {
      const files = { 'modules/one.ts': '', 'src/two.ts': '' };
      await using dir = project(text === undefined ? files : { ...files, 'package.json': text });
      const found = success(findDevSources([], dir.path));
      assert.deepEqual(
        found.files.map((file) => relative(dir.path, file)),
        expected,
      );
    });
});

describe('the package.json of a directory with a module', () => {
  const wrong: readonly (readonly [title: string, text: string, message: RegExp])[] = [
    ['no JSON', '{"main": index.ts}', /^shop\/package\.json:1:10: Unexpected "index" in JSON/],
    ['main is no path', '{"main": ["index.ts"]}', /^shop\/package\.json: main is a list: write a path$/],
    ['no object', '"index.ts"', /^shop\/package\.json is a string: write an object$/],
  ];
  for (const [title, text, message] of wrong)
    it(`is an error that names the place: ${title}`, async () => {
      await using dir = project({ 'shop/package.json': text, 'shop/index.ts': '' });
      for (const why of [
        failure(findEntry('./shop', dir.path)),
        failure(findDevSources(['./shop'], dir.path)),
      ]) {
        assert.equal(why.code, 'USAGE');
        assert.match(why.message, message);
      }
    });

  it('is an error if the package is installed', async () => {
    await using dir = project({ 'node_modules/shop/package.json': '{', 'node_modules/shop/index.js': '' });
    const why = failure(findEntry('shop', dir.path));
    assert.equal(why.code, 'USAGE');
    assert.match(why.message, /^shop cannot be used: Invalid package config .*shop\/package\.json/);
    assert.match(
      failure(findEntry('none', dir.path)).message,
      /^none is no file, no directory and no package/,
    );
  });

  it('may name a file that is not there, as npm init does', async () => {
    await using dir = project({ 'shop/package.json': '{"main":"index.js"}', 'shop/index.ts': '' });
    assert.deepEqual(success(findEntry('./shop', dir.path)), {
      kind: 'source',
      file: join(dir.path, 'shop/index.ts'),
    });
  });
});
