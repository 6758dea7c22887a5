import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildTools } from '../../perf/tools/build-tools.js';
import { testEnvironment } from '../runner/environment.js';
import { signalGroup } from '../runner/process-group.js';
import { compiledFile } from '../runner/test-files.js';
import { tempDir } from '../support/temp-dir.js';

/**
 * Runs a test file in its long form, by what the command line says: shows each test as it is done, and has no time limit.
 * `variables`: how the test is told of each option; `defaults` of those that are not given.
 */
export const runLong = async (
  file: string,
  variables: Readonly<Record<string, string>>,
  defaults: Readonly<Record<string, string>> = {},
): Promise<void> => {
  const options = Object.fromEntries(
    Object.keys(variables).map((name) => [name, { type: 'string' as const }]),
  );
  const { values } = parseArgs({ options });
  const given = Object.entries(variables).map(([name, variable]) => [
    variable,
    values[name] ?? defaults[name],
  ]);
  const tools = await buildTools((line) => process.stderr.write(`${line}\n`));
  await using scratch = tempDir();
  const configHome = join(scratch.path, 'config');
  mkdirSync(configHome);
  // A group of its own, so that with it goes all that it started.
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', '--test-reporter=spec', compiledFile(file)],
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
};
