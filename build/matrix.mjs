/**
 * `npm run test:matrix`: runs the unit tests on each version of Node that we support. `-- --all` runs all tests.
 * npm has Node as packages. They are kept in node_modules/.cache, and the newest release is taken each time.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

const VERSIONS = ['20', '22', '24'];
const ROOT = join(import.meta.dirname, '..');

/** The package that npm's package `node` would install by a script, which npm may not run. */
const PREFIX = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
const PACKAGE = `${PREFIX}-${process.platform}-${process.arch}`;

const run = (program, args, options = {}) => {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', cwd: ROOT, ...options });
  if (error !== undefined) throw error;
  return status === 0;
};

/** Installs a version; the path of its program. */
const install = (version) => {
  const dir = join(ROOT, 'node_modules', '.cache', 'node-versions', version);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{"private":true}\n');
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  if (!run('npm', [...args, `${PACKAGE}@${version}`], { cwd: dir })) {
    throw new Error(`npm could not install ${PACKAGE}@${version}`);
  }
  return join(dir, 'node_modules', PACKAGE, 'bin', 'node');
};

const tests = process.argv.includes('--all') ? [] : ['unit'];
if (!run('npm', ['run', '--silent', 'build'])) process.exit(1);
const results = VERSIONS.map((version) => {
  const node = install(version);
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
  run(node, ['--version']);
  const passed = run(node, ['--enable-source-maps', 'dist/test/run.js', '--failures', ...tests], { env });
  return { version, passed };
});
for (const { version, passed } of results) {
  process.stdout.write(`${passed ? '✔' : '✖'} Node ${version}\n`);
}
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
