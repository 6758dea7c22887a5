/** Runs scripts of package.json next to each other, for `npm run check` and `npm test`. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

export const seconds = (since) => `${((performance.now() - since) / 1_000).toFixed(1)} s`;

/** Runs a program to its end. Prints its output only if it fails, or if `live`. */
export const run = (name, [program, ...args], live = false) =>
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

export const script = (name) => run(name, ['npm', 'run', '--silent', name]);

/** Whether all passed. Each runs to its end. */
export const allOf = async (steps) => (await Promise.all(steps)).every(Boolean);

/** The build, and next to it the checks that read only sources. The import rules are part of what is built. */
export const buildAndCheck = async (sourceChecks, onBuilt = []) => {
  const built = script('build');
  const behind = (step) => built.then((passed) => passed && step());
  return allOf([
    built,
    ...sourceChecks.map(script),
    ...[() => script('lint:imports'), ...onBuilt].map((step) => behind(step)),
  ]);
};
