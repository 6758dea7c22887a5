/**
 * `npm run check`: format, types, lint, import rules and the pure tests. It needs no Go and
 * no server.
 * With `--watch` it checks again whenever a file changes, and then runs only the tests that the change can reach. With
 * `--staged` it runs only the tests that the next commit can reach: this is what the git hook does.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { buildAndCheck, run, seconds } from './steps.mjs';

const ROOT = join(import.meta.dirname, '..');

/** Whether everything passed. Tests and import rules need code that compiles, and run next to the rest. */
const check = async (changed = []) => {
  const startedAt = performance.now();
  const tests = [
    'dist/test/run.js',
    '--failures',
    '--quick',
    'unit',
    ...changed.flatMap((file) => ['--changed', file]),
  ];
  const green = await buildAndCheck(
    ['format:check', 'lint:code'],
    [() => run('unit tests', [process.execPath, '--enable-source-maps', ...tests], true)],
  );
  process.stdout.write(`${green ? '✔ all checks passed' : '✖ a check failed'} (${seconds(startedAt)})\n`);
  return green;
};

const staged = () =>
  execFileSync('git', ['diff', '--cached', '--name-only', '--no-renames'], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '');

const green = await check(process.argv.includes('--staged') ? staged() : []);
if (process.argv.includes('--watch')) {
  const { watchSources } = await import('../dist/test/runner/watch-sources.js');
  const sayWaiting = () => process.stdout.write('\nwaiting for a change; Ctrl-C ends\n');
  for await (const changed of watchSources(ROOT, sayWaiting)) {
    process.stdout.write(`\nchanged: ${changed.join(', ')}\n`);
    await check(changed);
    sayWaiting();
  }
} else process.exitCode = green ? 0 : 1;
