/**
 * `npm run check`: format, types, lint, import rules and the pure tests. It needs no Go and
 * no server.
 * With `--watch` it checks again whenever a file changes, and then runs only the tests that the change can reach. With
 * `--staged` it runs only the tests that the next commit can reach: this is what the git hook does.
 */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

const seconds = (since) => `${((performance.now() - since) / 1_000).toFixed(1)} s`;

/** Runs a script of package.json, or a program, to its end. Prints its output only if it fails, or if `live`. */
const run = (name, [program, ...args], live = false) =>
  new Promise((resolve) => {
    const startedAt = performance.now();
    const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => (live ? process.stdout.write(chunk) : chunks.push(chunk)));
    }
    child.once('error', (error) => chunks.push(`${error.message}\n`));
    child.once('close', (code) => {
      const passed = code === 0;
      const output = passed ? '' : Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))).toString();
      process.stdout.write(`${output}${passed ? '✔' : '✖'} ${name} (${seconds(startedAt)})\n`);
      resolve(passed);
    });
  });

const script = (name) => run(name, ['npm', 'run', '--silent', name]);

const allOf = async (steps) => (await Promise.all(steps)).every(Boolean);

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
  const built = script('build');
  const onBuilt = (step) => built.then((passed) => passed && step());
  const green = await allOf([
    built,
    script('format:check'),
    script('lint:code'),
    onBuilt(() => script('lint:imports')),
    onBuilt(() => run('unit tests', [process.execPath, '--enable-source-maps', ...tests], true)),
  ]);
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
