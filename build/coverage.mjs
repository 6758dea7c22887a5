/**
 * `npm run test:coverage`: how much of the code the unit tests run, over all their processes. `-- TIER…` takes other tiers.
 * A process that is killed reports nothing, so the figure is a lower bound. The hosts of modules report nothing either.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { CoverageReport } from 'monocart-coverage-reports';

const ROOT = join(import.meta.dirname, '..');
const given = process.argv.slice(2);
const tests = given.length === 0 ? ['unit'] : given;

const productFolders = () => {
  const { include } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8'));
  return include.filter((folder) => folder !== 'test').map((folder) => join(ROOT, folder));
};

const compiled = async (entry) => {
  const { code, map } = await transform(entry.source, {
    loader: 'ts',
    sourcemap: true,
    sourcefile: entry.sourcePath,
  });
  entry.source = code;
  entry.sourceMap = JSON.parse(map);
};

const dir = mkdtempSync(join(tmpdir(), 'tallystick-coverage-'));
try {
  const run = (program, args, env) =>
    spawnSync(program, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } }).status === 0;
  const passed =
    run('npm', ['run', '--silent', 'build']) &&
    run(process.execPath, ['dist/test/run.js', '--failures', ...tests], { NODE_V8_COVERAGE: dir });
  const report = new CoverageReport({
    name: `coverage by ${tests.join(', ')}`,
    reports: ['console-summary'],
    outputDir: join(dir, 'report'),
    baseDir: ROOT,
    entryFilter: {
      '**/node_modules/**': false,
      '**/dist/vendor/**': false,
      '**/dist/test/**': false,
      '**/dist/**': true,
    },
    sourceFilter: { '**/node_modules/**': false, '**/test/**': false, '**/*.ts': true },
    // Files that no test loads count too.
    all: { dir: productFolders(), filter: { '**/*.ts': 'js' }, transformer: compiled },
  });
  await report.addFromDir(dir);
  await report.generate();
  process.exitCode = passed ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
