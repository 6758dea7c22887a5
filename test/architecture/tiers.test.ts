import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { select } from '../runner/selection.js';
import { testFiles } from '../runner/test-files.js';
import { TIER_NAMES, TIERS, tierOf } from '../runner/tiers.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { sourceFiles } from './source-files.js';

describe('the tiers of the test runner', () => {
  it('every test file is in a tier', () => {
    assert.deepEqual(
      testFiles().filter((file) => tierOf(file) === undefined),
      [],
    );
  });

  it('every file that defines a test is named as one', () => {
    const definesTests = /^import .*\b(?:describe|it|suite|test)\b.* from 'node:test'/m;
    const misnamed = sourceFiles(PROJECT_ROOT)
      .filter(({ path, text }) => definesTests.test(text) && !/^test\/.*\.test\.ts$/.test(path))
      .map(({ path }) => path);
    assert.deepEqual(misnamed, []);
  });

  it('a folder belongs to one tier', () => {
    const folders = TIER_NAMES.flatMap((name) => [...TIERS[name].folders]);
    assert.equal(new Set(folders).size, folders.length);
  });

  it('the runner refuses to run beside a file that is in no tier', () => {
    assert.throws(() => select([], ['test/schemas/a.test.ts', 'test/elsewhere/b.test.ts']), /elsewhere/);
    assert.throws(() => select([], ['test/b.test.ts']), /test\/b\.test\.ts/);
  });

  it('the runner refuses an argument that is neither a tier nor a file', () => {
    assert.throws(() => select(['unti'], ['test/schemas/a.test.ts']), /unti/);
  });

  it('arguments narrow what is run', () => {
    const files = ['test/broker/b.test.ts', 'test/faults/c.test.ts', 'test/schemas/a.test.ts'];
    const run = (...args: string[]): string[] => select(args, files).flatMap((it) => it.files);
    assert.deepEqual(run(), ['test/schemas/a.test.ts', 'test/broker/b.test.ts', 'test/faults/c.test.ts']);
    assert.deepEqual(run('faults', 'unit'), ['test/schemas/a.test.ts', 'test/faults/c.test.ts']);
    assert.deepEqual(run('test/broker/b.test.ts'), ['test/broker/b.test.ts']);
  });

  it('the folders of a tier have their turn in its order', () => {
    const files = ['test/cli/a.test.ts', 'test/cli/c.test.ts', 'test/docs/b.test.ts'];
    assert.deepEqual(select([], files)[2]?.files, ['test/docs/b.test.ts', ...files.slice(0, 2)]);
  });
});
