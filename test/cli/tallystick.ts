import { runCommand } from '../support/run-command-line.js';
import type { ProgramOptions, ProgramResult } from '../support/run-program.js';

/** What would point the command line at a broker of the person who runs the tests. */
export const CLEAN_ENV = {
  NATS_URL: undefined,
  NATS_NKEY: undefined,
  NATS_CREDS: undefined,
  NATS_USER: undefined,
  NATS_PASSWORD: undefined,
  NATS_CONTEXT: undefined,
  TALLYSTICK_TOKEN: undefined,
} as const;

/** Runs the built command line to its end. */
export const tallystick = (args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> =>
  runCommand(args, { ...options, env: { ...CLEAN_ENV, ...options.env } });
