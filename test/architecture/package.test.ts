import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PROJECT_ROOT } from '../support/project-root.js';
import { runProgram } from '../support/run-program.js';
import { tempDir } from '../support/temp-dir.js';

const own = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
};
const entries = Object.keys(own.exports)
  .filter((entry) => !entry.endsWith('.json'))
  .map((entry) => `${own.name}${entry.slice(1)}`);

const ok = async (program: string, args: readonly string[], cwd: string): Promise<string> => {
  const { code, stdout, stderr } = await runProgram(program, [...args], { cwd });
  assert.equal(code, 0, `${program} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
};

/** The package as a user has it: what `npm pack` takes along, next to the packages that it depends on. */
describe('the package', () => {
  const dir = tempDir();
  const modules = join(dir.path, 'node_modules');
  const installed = join(modules, own.name);
  let files: readonly string[] = [];

  before(async () => {
    const packed = await ok(
      'npm',
      ['pack', '--ignore-scripts', '--json', '--pack-destination', dir.path],
      PROJECT_ROOT,
    );
    const [{ filename, files: listed }] = JSON.parse(packed) as [
      { readonly filename: string; readonly files: readonly { readonly path: string }[] },
    ];
    files = listed.map(({ path }) => path);
    mkdirSync(modules);
    mkdirSync(installed);
    await ok('tar', ['-xzf', join(dir.path, filename), '--strip-components=1', '-C', installed], dir.path);
    for (const name of readdirSync(join(PROJECT_ROOT, 'node_modules'))) {
      if (!name.startsWith('.')) symlinkSync(join(PROJECT_ROOT, 'node_modules', name), join(modules, name));
    }
  });
  after(() => dir[Symbol.asyncDispose]());

  it('lets a program import each of its entries', async () => {
    const program = entries
      .map(
        (entry) =>
          `if (Object.keys(await import('${entry}')).length === 0) throw new Error('${entry} is empty');`,
      )
      .join('\n');
    await ok(process.execPath, ['--input-type=module', '-e', program], dir.path);
  });

  it('has types for each of its entries', async () => {
    const lines = entries.map((entry, i) => `import * as entry${i} from '${entry}';\nvoid entry${i};`);
    writeFileSync(join(dir.path, 'program.mts'), `${lines.join('\n')}\n`);
    const tsc = join(PROJECT_ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--skipLibCheck'];
    await ok(process.execPath, [tsc, ...options, '--types', 'node', 'program.mts'], dir.path);
  });

  const settings = {
    'nodenext, strict': ['--module', 'nodenext'],
    'nodenext, exactOptionalPropertyTypes': ['--module', 'nodenext', '--exactOptionalPropertyTypes'],
    'bundler, exactOptionalPropertyTypes': [
      ...['--module', 'esnext', '--moduleResolution', 'bundler', '--exactOptionalPropertyTypes'],
    ],
  };
  for (const [title, chosen] of Object.entries(settings)) {
    it(`has types that flow from the schemas of a module: ${title}`, async () => {
      // As the file of a user.
      const source = readFileSync(join(PROJECT_ROOT, 'test', 'modules', 'module-types.ts'), 'utf8');
      writeFileSync(join(dir.path, 'types.mts'), source.replaceAll('../../modules/entry.js', own.name));
      const tsc = join(PROJECT_ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
      const target = ['--target', 'es2023', '--lib', 'es2023,esnext.disposable', '--types', 'node'];
      const options = ['--noEmit', '--strict', '--skipLibCheck', ...target, ...chosen];
      await ok(process.execPath, [tsc, ...options, 'types.mts'], dir.path);
    });
  }

  it('has the command line', async () => {
    const bin = join(installed, 'dist', 'bin', 'tallystick.js');
    assert.equal((await ok(process.execPath, [bin, '--version'], dir.path)).trim(), own.version);
  });

  it('has the licences of the packages that it contains', () => {
    const text = readFileSync(join(installed, 'dist', 'chunks', 'LICENSES.txt'), 'utf8');
    for (const name of ['nats', '@nats-io/nats-core', 'typebox', 'fp-ts', 'commander'])
      assert.match(text, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+: [\\w.-]+$`, 'm'));
  });

  it('has no test, no benchmark of peers and no source', () => {
    const odd = files.filter((path) => /^dist\/(?:test\/|perf\/(?!burst\/))|(?<!\.d)\.ts$|\.map$/.test(path));
    assert.deepEqual(odd, []);
  });
});
