import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEEP_FILES, isInRun } from '../runner/deep-files.js';
import { LONG_FILES } from '../runner/long-files.js';
import { select } from '../runner/selection.js';
import { testFiles } from '../runner/test-files.js';
import { PROGRAMS, TIER_NAMES, TIERS, tierOf, tierOfFolder } from '../runner/tiers.js';
import { affectedBy, loadedBy } from '../runner/import-graph.js';
import { NOT_FOR_UNIT_TESTS, unitEnvironment } from '../runner/environment.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { runProgram } from '../support/run-program.js';
import { tempDir } from '../support/temp-dir.js';
import { sourceFiles } from './source-files.js';

describe('the tiers of the test runner', () => {
  it('every test file is in a tier', () => {
    assert.deepEqual(
      testFiles().filter((file) => tierOfFolder(file) === undefined),
      [],
    );
  });

  it('every file that defines a test is named as one', () => {
    // The process of a batch defines the tests that stand for the ends of its files.
    const batch = 'test/runner/batch-main.ts';
    const definesTests = /^import .*\b(?:describe|it|suite|test)\b.* from 'node:test'/m;
    const misnamed = sourceFiles(PROJECT_ROOT)
      .filter(({ path, text }) => definesTests.test(text) && !/^test\/.*\.test\.ts$/.test(path))
      .map(({ path }) => path);
    assert.deepEqual(misnamed, [batch]);
  });

  it('a folder belongs to one tier', () => {
    const folders = TIER_NAMES.flatMap((name) => [...TIERS[name].folders]);
    assert.equal(new Set(folders).size, folders.length);
  });

  it('the runner refuses to run when a file is in no tier', () => {
    assert.throws(() => select([], ['test/schemas/a.test.ts', 'test/elsewhere/b.test.ts']), /elsewhere/);
    assert.throws(() => select([], ['test/b.test.ts']), /test\/b\.test\.ts/);
  });

  it('the runner refuses an argument that is neither a tier nor a file', () => {
    assert.throws(() => select(['unti'], ['test/schemas/a.test.ts']), /unti/);
  });

  it('the files that begin first are there', () => {
    const files = testFiles();
    assert.deepEqual(
      LONG_FILES.filter((file) => !files.includes(file)),
      [],
    );
  });

  it('the files of the deep form are there, and each belongs to one run or to both', () => {
    const files = testFiles();
    assert.deepEqual(
      DEEP_FILES.filter((file) => !files.includes(file)),
      [],
    );
    const short = files.filter((file) => isInRun(file, { deep: false, isLong: false, named: [] }));
    const deep = files.filter((file) => isInRun(file, { deep: true, isLong: false, named: [] }));
    assert.deepEqual(new Set([...short, ...deep]), new Set(files));
    assert.deepEqual(
      DEEP_FILES.filter((file) => short.includes(file)),
      [],
    );
    const [named] = DEEP_FILES;
    assert.ok(named !== undefined && isInRun(named, { deep: false, isLong: false, named: [named] }));
    assert.ok(isInRun(named, { deep: false, isLong: true, named: [] }));
  });

  it('arguments narrow what is run', () => {
    const files = ['test/broker/b.test.ts', 'test/cli/a.test.ts', 'test/faults/c.test.ts'];
    const run = (...args: string[]): string[] => select(args, files, tierOfFolder).flatMap((it) => it.files);
    assert.deepEqual(run(), ['test/broker/b.test.ts', 'test/cli/a.test.ts', 'test/faults/c.test.ts']);
    assert.deepEqual(run('faults', 'cli'), ['test/cli/a.test.ts', 'test/faults/c.test.ts']);
    assert.deepEqual(run('test/broker/b.test.ts'), ['test/broker/b.test.ts']);
  });

  it('the folders of a tier have their turn in its order', () => {
    const files = ['test/cli/a.test.ts', 'test/cli/c.test.ts', 'test/docs/b.test.ts'];
    assert.deepEqual(select([], files, tierOfFolder)[2]?.files, [
      'test/docs/b.test.ts',
      ...files.slice(0, 2),
    ]);
  });

  it('a test that starts a server or a program is not in the unit tier, and every other test is', () => {
    assert.equal(tierOf('test/broker/start.test.ts'), 'broker');
    assert.equal(tierOf('test/perf/scenarios.test.ts'), 'broker');
    assert.equal(tierOf('test/faults/two-brokers.test.ts'), 'faults');
    assert.equal(tierOf('test/schemas/json.test.ts'), 'unit');
    assert.equal(tierOf('test/replay/trace-of.test.ts'), 'unit');
  });

  it('each file that starts a program exists, and tests load it', () => {
    const loaded = new Set(testFiles().flatMap((file) => [...loadedBy(file)]));
    assert.deepEqual(
      PROGRAMS.filter((program) => !loaded.has(program)),
      [],
    );
  });

  it('only those files name the programs that the runner builds', () => {
    const names = /\b(?:NATS_SERVER|NATS_CLI|TALLYSTICK_BIN)\b/;
    const unit = testFiles().filter((file) => tierOf(file) === 'unit');
    const loaded = new Set(unit.flatMap((file) => [...loadedBy(file)]));
    const naming = sourceFiles(PROJECT_ROOT)
      .filter(({ path, text }) => path.startsWith('test/') && loaded.has(path) && names.test(text))
      .map(({ path }) => path);
    // What the runner itself hands out, and texts that name the variable.
    assert.deepEqual(naming.toSorted(), [
      'test/architecture/tiers.test.ts',
      'test/broker/server/version.test.ts',
      'test/runner/environment.ts',
    ]);
  });

  it('a change runs the unit tests that load what changed, and those that read all sources', () => {
    const run = (...changed: string[]): string[] =>
      affectedBy(changed, [
        'test/architecture/tiers.test.ts',
        'test/schemas/json.test.ts',
        'test/modules/accounts.test.ts',
      ]);
    assert.deepEqual(run('modules/accounts/index.ts'), [
      'test/architecture/tiers.test.ts',
      'test/modules/accounts.test.ts',
    ]);
    assert.deepEqual(run('test/schemas/json.test.ts'), [
      'test/architecture/tiers.test.ts',
      'test/schemas/json.test.ts',
    ]);
    assert.equal(run('package.json').length, 3);
  });
});

describe('the environment of the unit tests', () => {
  it('names no server and no program of Go, and each fails when it is run', async () => {
    await using dir = tempDir();
    const env = unitEnvironment(dir.path, dir.path);
    assert.deepEqual(
      Object.keys(env).filter((name) => /^(?:NATS|TALLYSTICK)_/.test(name) && name !== 'TALLYSTICK_CACHE'),
      [],
    );
    for (const program of NOT_FOR_UNIT_TESTS) {
      const { code, stderr } = await runProgram('sh', ['-c', `${program} version`], { env });
      assert.equal(code, 97);
      assert.match(stderr, new RegExp(`A unit test runs ${program}\\.`));
    }
  });
});
