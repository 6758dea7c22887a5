/**
 * `npm test`: the build and all checks next to each other, because none of them uses two processors all the time. Then all tests, if
 * everything passed.
 */
import { spawn } from 'node:child_process';
import { buildAndCheck } from './steps.mjs';

if (await buildAndCheck(['format:check', 'lint:code', 'lint:unused'])) {
  const tests = spawn('npm', ['run', 'test:run'], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to the tests too: they end what they started, and say so.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => tests.kill(signal));
  tests.once('exit', (code) => {
    process.exitCode = code ?? 1;
  });
} else process.exitCode = 1;
