import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { PROJECT_ROOT } from '../support/project-root.js';
import type { Tools } from '../../perf/tools/build-tools.js';

const isOfAPerson = (variable: string): boolean =>
  variable.startsWith('NATS_') || (variable.startsWith('TALLYSTICK_') && variable !== 'TALLYSTICK_CACHE');

const withoutThePerson = (configHome: string): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([variable]) => !isOfAPerson(variable))),
  NODE_TEST_CONTEXT: undefined,
  XDG_CONFIG_HOME: configHome,
});

/**
 * The environment of the test processes: the programs under test, and nothing of the person who runs them. A server
 * that someone's `NATS_URL` or selected `nats` context names must never be met by a test.
 */
export const testEnvironment = (tools: Tools, configHome: string): NodeJS.ProcessEnv => ({
  ...withoutThePerson(configHome),
  NATS_SERVER: tools.natsServer,
  NATS_CLI: tools.nats,
  TALLYSTICK_BIN: join(PROJECT_ROOT, 'dist', 'bin', 'tallystick.js'),
});

/** What the tests of the unit tier must do without. */
export const NOT_FOR_UNIT_TESTS = ['go', 'nats', 'nats-server'];

/**
 * The environment of the unit tests names no program under test. The first programs of these names in its PATH only
 * fail, and the cache of servers is empty, so that a test which needs one fails on every machine.
 */
export const unitEnvironment = (scratch: string, configHome: string): NodeJS.ProcessEnv => {
  const failing = join(scratch, 'failing-programs');
  mkdirSync(failing);
  for (const name of NOT_FOR_UNIT_TESTS) {
    const text = `#!/bin/sh\necho 'A unit test runs ${name}. See test/runner/tiers.ts.' >&2\nexit 97\n`;
    writeFileSync(join(failing, name), text, { mode: 0o755 });
  }
  const env = withoutThePerson(configHome);
  return {
    ...env,
    PATH: [failing, env.PATH].join(delimiter),
    TALLYSTICK_CACHE: join(scratch, 'empty-cache'),
  };
};
