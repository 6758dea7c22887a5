import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { isRight } from 'fp-ts/lib/Either.js';
import { findServer } from '../../broker/server/find.js';
import { SERVER_VERSION } from '../../broker/server/version.js';
import { type Diagnosis, asOk, asProblem, asWarning } from './diagnosis.js';

const run = promisify(execFile);
const TIMEOUT_MS = 10_000;

/** The first line that a program prints; undefined if it does not run. */
const printed = async (program: string, ...args: readonly string[]): Promise<string | undefined> => {
  try {
    const { stdout, stderr } = await run(program, [...args], { timeout: TIMEOUT_MS });
    return (stdout || stderr).split('\n')[0]?.trim();
  } catch {
    return undefined;
  }
};

/** The nats-server that `start` would use. Downloads and builds nothing. */
export const checkServer = async (env = process.env): Promise<Diagnosis> => {
  const server = await findServer({ env, isHereOnly: true })();
  if (isRight(server)) {
    const { version, path, source } = server.right;
    return asOk('nats-server', `${version}, ${path} (${source === 'cache' ? 'cached' : source})`);
  }
  if (env.NATS_SERVER || server.left.code === 'SERVER_TOO_OLD')
    return asProblem('nats-server', 'none that can be used', server.left.message);
  const go = await printed('go', 'version');
  const build = go === undefined ? 'go, which could build it, is not on PATH' : `or builds it with ${go}`;
  return asWarning(
    'nats-server',
    'none on this machine yet',
    `the first start downloads version ${SERVER_VERSION} from github.com or TALLYSTICK_RELEASES; ${build}`,
  );
};

/** The stock command line. The broker does not need it; the tour does. */
export const checkNats = async (): Promise<Diagnosis> => {
  const version = await printed('nats', '--version');
  return version === undefined
    ? asWarning(
        'nats',
        'the NATS command line is not on PATH; the broker does not need it',
        'install it for the tour: `go install github.com/nats-io/natscli/nats@latest`, or see https://github.com/nats-io/natscli',
      )
    : asOk('nats', version);
};
