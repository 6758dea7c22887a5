import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { natsCliPath, tallystickPath } from './program-paths.js';
import { PROJECT_ROOT } from './project-root.js';

/** Runs TypeScript on every Node. */
const TSX = join(PROJECT_ROOT, 'node_modules', 'tsx', 'dist', 'cli.mjs');

/** What would point a command line at a broker of the person who runs the tests. */
const OTHERS = ['NATS_URL', 'NATS_NKEY', 'NATS_CREDS', 'NATS_USER', 'NATS_PASSWORD', 'NATS_CONTEXT'];

/**
 * The environment of a shell in which `nats` and `npx tallystick` are what a person has who follows the documents: the
 * stock command line, told of the free port that the broker took, and the command line under test. `http`: where `curl`
 * finds the broker.
 */
export const shellEnvironment = (
  home: string,
  url: string,
  program = tallystickPath(),
  http = '',
): Record<string, string | undefined> => {
  const bin = join(home, '.bin');
  mkdirSync(bin, { recursive: true });
  const script = (name: string, command: string): void =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${command} "$@"\n`, { mode: 0o755 });
  script('nats', `NATS_URL="\${NATS_URL:-${url}}" exec '${natsCliPath()}'`);
  script(
    'npx',
    `program=$1; shift; case $program in
tsx) exec '${process.execPath}' '${TSX}' "$@";;
esac
npm_command=exec exec '${process.execPath}' '${program}'`,
  );
  // Without this directory: the program looks for the real one.
  const curl = join(import.meta.dirname, 'curl-program.js');
  script('curl', `PATH='${process.env.PATH}' exec '${process.execPath}' '${curl}' '${http}'`);
  const clean = Object.fromEntries(OTHERS.map((name) => [name, undefined]));
  return { ...clean, PATH: `${bin}${delimiter}${process.env.PATH}` };
};
