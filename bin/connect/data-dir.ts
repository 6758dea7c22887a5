import { resolve } from 'node:path';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { brokerDataDir } from '../../link/broker-data-dir.js';
import type { TargetOptions } from '../../link/target.js';
import { DEFAULT_DATA_DIR } from '../../schemas/config.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { withConnection } from './connect.js';

/**
 * The data directory to read snapshots from. `--data` needs no broker. A broker that `--server` or NATS_URL names is
 * asked for its directory. Otherwise it is the directory in the working directory. `findTarget` has the same order.
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
  if (server === undefined && (env.NATS_URL ?? '') === '') return TE.right(resolve(DEFAULT_DATA_DIR));
  return withConnection(options, (nc) => brokerDataDir(nc));
};
