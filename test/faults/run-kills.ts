/**
 * The long form of the test of fail-points: `node dist/test/faults/run-kills.js [--times 50] [--seed N]
 * [--durability fsync|os] [--points PREFIX] [--together N]`. Shows each point as it is done, and has no time limit.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { testEnvironment } from '../runner/environment.js';
import { signalGroup } from '../runner/process-group.js';
import { compiledFile } from '../runner/test-files.js';
import { tempDir } from '../support/temp-dir.js';
import { buildTools } from '../../perf/tools/build.js';
import { KILL_VARIABLES } from './kill-options.js';

const options = Object.fromEntries(
  Object.keys(KILL_VARIABLES).map((name) => [name, { type: 'string' as const }]),
);
const { values } = parseArgs({ options });
const given = Object.entries(KILL_VARIABLES).map(([name, variable]) => [variable, values[name]]);

const tools = await buildTools((line) => process.stderr.write(`${line}\n`));
await using scratch = tempDir();
const configHome = join(scratch.path, 'config');
mkdirSync(configHome);
// A group of its own, so that with it goes all that it started.
const child = spawn(
  process.execPath,
  ['--enable-source-maps', '--test-reporter=spec', compiledFile('test/faults/fail-points.test.ts')],
  {
    env: { ...testEnvironment(tools, configHome), ...Object.fromEntries(given) },
    stdio: 'inherit',
    detached: true,
  },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => signalGroup(child.pid as number, 'SIGKILL'));
}
process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
