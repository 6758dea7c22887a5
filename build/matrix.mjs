/**
 * `npm run test:matrix`: runs the unit tests on each version of Node that we support. `-- --all` runs all tests.
 */
import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { installNode, VERSIONS } from './node-versions.mjs';

const ROOT = join(import.meta.dirname, '..');

const run = (program, args, options = {}) => {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', cwd: ROOT, ...options });
  if (error !== undefined) throw error;
  return status === 0;
};

const tests = process.argv.includes('--all') ? [] : ['unit'];
if (!run('npm', ['run', '--silent', 'build'])) process.exit(1);
const results = VERSIONS.map((version) => {
  const node = installNode(version);
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
  run(node, ['--version']);
  const passed = run(node, ['--enable-source-maps', 'dist/test/run.js', '--failures', ...tests], { env });
  return { version, passed };
});
for (const { version, passed } of results) {
  process.stdout.write(`${passed ? '✔' : '✖'} Node ${version}\n`);
}
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
