import { join } from 'node:path';
import { PROJECT_ROOT } from '../support/project-root.js';
import { type ProgramResult, runProgram } from '../support/run-program.js';

/** `npm run perf -- …` as it stands after a build. */
export const perf = (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  timeoutMs = 120_000,
): Promise<ProgramResult> =>
  runProgram(process.execPath, [join(PROJECT_ROOT, 'dist', 'perf', 'perf-main.js'), ...args], {
    env,
    timeoutMs,
  });
