import { join } from 'node:path';
import { PROJECT_ROOT } from './project-root.js';

const pathFrom = (variable: string) => (): string => {
  const path = process.env[variable];
  if (path !== undefined && path !== '') return path;
  throw new Error(`${variable} is not set: run tests by \`npm run test:run -- test/FOLDER/FILE.test.ts\``);
};

/** The programs under test, as the runner found or built them. */
export const natsServerPath = pathFrom('NATS_SERVER');
export const natsCliPath = pathFrom('NATS_CLI');
export const tallystickPath = pathFrom('TALLYSTICK_BIN');

/** `npm run example`: it starts a broker. */
export const EXAMPLE_RUNNER = join(PROJECT_ROOT, 'build', 'run-example.mjs');
