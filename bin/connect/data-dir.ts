import { resolve } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { DEFAULT_DATA_DIR } from '../../schemas/config.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { type BrokerStatus, OPS } from '../../schemas/operate.js';
import { withConnection } from './connect.js';
import { ask } from './request-broker.js';
import { readAddress, type TargetOptions } from './target.js';

/** The data directory of the broker, if it is on this machine; otherwise USAGE. */
const whereItIs = ({ dataDir, pid, server }: BrokerStatus): TE.TaskEither<Fault, string> => {
  const address = readAddress(dataDir);
  // A directory of that name here may be another broker's.
  if (address?.pid === pid && address.nats === server.url) return TE.right(dataDir);
  const text = `the broker at ${server.url} has its snapshots in ${dataDir}, which is not on this machine`;
  return TE.left(
    fault(
      'USAGE',
      `${text}: snapshots are read by memory map; run the command on that machine, or give a copy with --data`,
    ),
  );
};

/** The data directory of the broker at the other end of a connection; USAGE if it is on another machine. */
export const brokerDataDir = (nc: NatsConnection): TE.TaskEither<Fault, string> =>
  pipe(ask<BrokerStatus>(nc, OPS.status), TE.chain(whereItIs));

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
  return withConnection(options, brokerDataDir);
};
