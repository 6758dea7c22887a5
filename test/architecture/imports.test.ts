import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PROJECT_ROOT } from '../support/project-root.js';
import { runProgram } from '../support/run-program.js';
import { tempDir } from '../support/temp-dir.js';
import { importViolations, type Violation } from './imports.js';
import { packageJson, sourceFiles, userFiles } from './source-files.js';

const own = packageJson(PROJECT_ROOT);

const plant = (path: string, specifier: string): Violation[] =>
  importViolations([{ path, text: `import { x } from '${specifier}';\n` }], own);

const FORBIDDEN: readonly (readonly [path: string, specifier: string])[] = [
  ['schemas/a.ts', '../journal/index.js'],
  ['schemas/a.ts', '../modules/sdk/index.js'],
  ['schemas/a.ts', 'node:crypto'],
  ['schemas/a.ts', 'fs'],
  ['schemas/a.ts', 'lmdb'],
  ['schemas/a.ts', 'tallystick'],
  ['system/files/a.ts', '../../link/a.js'],
  ['system/a.ts', '../broker/a.js'],
  ['link/a.ts', '../journal/index.js'],
  ['journal/append/a.ts', '../../store/snapshots/a.js'],
  ['journal/a.ts', '../modules/a.js'],
  ['journal/a.ts', '../broker/a.js'],
  ['journal-old/a.ts', '../schemas/a.js'],
  ['store/lmdb/a.ts', '../../broker/index/a.js'],
  ['store/a.ts', '../modules/sdk/index.js'],
  ['broker/a.ts', '../modules/sdk/index.js'],
  ['broker/a.ts', '../replay/index.js'],
  ['broker/a.ts', '../transfer/a.js'],
  ['broker/a.ts', '../perf/a.js'],
  ['broker/a.ts', '../bin/a.js'],
  ['broker/a.ts', 'tallystick/replay'],
  ['modules/a.ts', '../broker/server/a.js'],
  ['modules/a.ts', '../broker/index.js'],
  ['modules/a.ts', '../journal-old/a.js'],
  ['modules/a.ts', '../replay/index.js'],
  ['modules/a.ts', '../perf/a.js'],
  ['modules/a.ts', '../bin/a.js'],
  ['replay/a.ts', '../broker/gateway/a.js'],
  ['replay/a.ts', '../transfer/a.js'],
  ['replay/a.ts', '../perf/a.js'],
  ['replay/a.ts', '../bin/a.js'],
  ['transfer/a.ts', '../modules/sdk/index.js'],
  ['transfer/a.ts', '../bin/a.js'],
  ['perf/a.ts', '../bin/a.js'],
  ['bin/a.ts', '../test/support/broker.js'],
  ['broker/a.ts', '../test/support/broker.js'],
  ['perf/a.ts', '../test/support/broker.js'],
  ['broker/a.ts', '../../elsewhere/a.js'],
];

const ALLOWED: readonly (readonly [path: string, specifier: string])[] = [
  ['schemas/deep/a.ts', '../errors.js'],
  ['schemas/a.ts', 'typebox/value'],
  ['schemas/a.ts', 'fp-ts/lib/Either.js'],
  ['journal/deep/a.ts', '../index.js'],
  ['journal/append/a.ts', '../../schemas/errors.js'],
  ['journal/a.ts', 'node:fs'],
  ['broker/a.ts', '../journal/index.js'],
  ['modules/sdk/a.ts', '../../journal/index.js'],
  ['modules/host/a.ts', '../../store/snapshots/a.js'],
  ['replay/a.ts', '../modules/sdk/index.js'],
  ['replay/diff/a.ts', '../../modules/host/a.js'],
  ['replay/a.ts', '../store/snapshots/a.js'],
  ['replay/a.ts', 'tallystick/journal'],
  ['transfer/import/a.ts', '../../broker/log/a.js'],
  ['perf/a.ts', '../replay/index.js'],
  ['perf/a.ts', '../broker/server/a.js'],
  ['perf/a.ts', '../modules/host/a.js'],
  ['bin/a.ts', '../perf/a.js'],
  ['test/broker/a.test.ts', '../../bin/a.js'],
];

describe('the direction of imports', () => {
  for (const [path, specifier] of FORBIDDEN) {
    it(`${path} may not import ${specifier}`, () => {
      assert.equal(plant(path, specifier).length, 1);
    });
  }

  for (const [path, specifier] of ALLOWED) {
    it(`${path} may import ${specifier}`, () => {
      assert.deepEqual(plant(path, specifier), []);
    });
  }

  it('every way to import is seen', () => {
    const ways = [
      `import '../bin/a.js';`,
      `import a from "../bin/a.js";`,
      `import {\n  a,\n  type b, // why\n} from '../bin/a.js';`,
      `import type { a } from '../bin/a.js';`,
      `export * from '../bin/a.js';`,
      `export { a } from '../bin/a.js';`,
      `const a = await import('../bin/a.js');`,
      `const a = await import(/* late */ '../bin/a.js');`,
      'const a = await import(`../bin/a.js`);',
      `type A = typeof import('../bin/a.js');`,
      `import a = require('../bin/a.js');`,
      `const a = createRequire(import.meta.url); require ( '../bin/a.js');`,
      `import a from'../bin/a.js';`,
    ];
    for (const text of ways) {
      assert.equal(importViolations([{ path: 'broker/a.ts', text }], own).length, 1, text);
    }
  });

  it('the line of the import is told', () => {
    const text = `// one\nimport {\n  x,\n} from '../bin/a.js';\n`;
    assert.deepEqual(
      importViolations([{ path: 'broker/a.ts', text }], own).map(({ line }) => line),
      [4],
    );
  });

  it('a folder that no rule is for is refused', () => {
    assert.equal(importViolations([{ path: 'utils/a.ts', text: '' }], own).length, 1);
  });

  it('the lint program fails on a planted file and names it', async () => {
    await using dir = tempDir();
    await mkdir(join(dir.path, 'schemas', 'deep'), { recursive: true });
    await writeFile(join(dir.path, 'package.json'), JSON.stringify(own));
    const program = join(import.meta.dirname, 'check-imports.js');
    await writeFile(join(dir.path, 'schemas', 'deep', 'a.ts'), `import '../errors.js';\n`);
    assert.equal((await runProgram(process.execPath, [program, dir.path])).code, 0);

    await writeFile(join(dir.path, 'schemas', 'deep', 'b.ts'), `\nimport '../../broker/a.js';\n`);
    const { code, stderr } = await runProgram(process.execPath, [program, dir.path]);
    assert.equal(code, 1);
    assert.match(stderr, /^schemas\/deep\/b\.ts:2 imports broker\/a\.js/);
  });

  it('this tree keeps to it', () => {
    const files = [...sourceFiles(PROJECT_ROOT), ...userFiles(PROJECT_ROOT)];
    assert.ok(files.some(({ path }) => path === 'test/architecture/imports.ts'));
    assert.deepEqual(importViolations(files, own), []);
  });
});
