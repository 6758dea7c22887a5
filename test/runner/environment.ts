import { join } from 'node:path';
import { PROJECT_ROOT } from '../support/project-root.js';
import type { Tools } from '../../perf/tools/build-tools.js';

const isOfAPerson = (variable: string): boolean =>
  variable.startsWith('NATS_') || (variable.startsWith('TALLYSTICK_') && variable !== 'TALLYSTICK_CACHE');

/**
 * The environment of the test processes: the programs under test, and nothing of the person who runs them. A server
 * that someone's `NATS_URL` or selected `nats` context names must never be met by a test.
 */
export const testEnvironment = (tools: Tools, configHome: string): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([variable]) => !isOfAPerson(variable))),
  NODE_TEST_CONTEXT: undefined,
  XDG_CONFIG_HOME: configHome,
  NATS_SERVER: tools.natsServer,
  NATS_CLI: tools.nats,
  TALLYSTICK_BIN: join(PROJECT_ROOT, 'dist', 'bin', 'tallystick.js'),
});
