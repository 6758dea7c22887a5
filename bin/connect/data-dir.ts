import { resolve } from 'node:path';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { brokerDataDir } from '../../link/broker-data-dir.js';
import type { TargetOptions } from '../../link/target.js';
import { DEFAULT_DATA_DIR } from '../../schemas/config.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { withConnection } from './connect.js';

/** Whether a broker is named by its address: then its data directory may be on another machine. */
export const isNamedByAddress = (
  { data, server, token }: TargetOptions,
  env: NodeJS.ProcessEnv = process.env,
): boolean => {
  if (data !== undefined) return false;
  const named = [server, token, env.TALLYSTICK_TOKEN, env.NATS_URL];
  return named.some((each) => (each ?? '') !== '');
};

/**
 * The data directory to read snapshots from. `--data` needs no broker. A broker that is named by its address is asked
 * for its directory. Otherwise it is the directory in the working directory. `findTarget` has the same order.
 */
export const findDataDir = (
  options: TargetOptions,
  env: NodeJS.ProcessEnv = process.env,
): TE.TaskEither<Fault, string> => {
  const { data, server } = options;
  if (data !== undefined && server !== undefined) {
    return TE.left(fault('USAGE', '--data and --server both name a broker; give one of them'));
  }
  if (data !== undefined) return TE.right(resolve(data));
  return isNamedByAddress(options, env)
    ? withConnection(options, (nc) => brokerDataDir(nc))
    : TE.right(resolve(DEFAULT_DATA_DIR));
};
