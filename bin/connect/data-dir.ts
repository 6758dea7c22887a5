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

/** The directory that a broker works in, where that is on this machine; USAGE where it is not. */
const whereItIs = ({ dataDir, pid, server }: BrokerStatus): TE.TaskEither<Fault, string> => {
  const address = readAddress(dataDir);
  // A directory of that name here may be another broker's.
  if (address?.pid === pid && address.nats === server.url) return TE.right(dataDir);
  const text = `the broker at ${server.url} has its snapshots in ${dataDir}, which is not on this machine`;
  return TE.left(
    fault('USAGE', `${text}: they are read by memory map, so run this there, or give a copy by --data`),
  );
};

/** The directory that the broker behind a connection works in; USAGE where that is on another machine. */
export const brokerDataDir = (nc: NatsConnection): TE.TaskEither<Fault, string> =>
  pipe(ask<BrokerStatus>(nc, OPS.status), TE.chain(whereItIs));

/**
 * The data directory to read snapshots from: `--data` needs no broker; a broker that is named by `--server` or NATS_URL
 * is asked for its own; else that of the working directory. The order is that of `findTarget`.
 */
export const findDataDir = (
  options: TargetOptions,
  env: NodeJS.ProcessEnv = process.env,
): TE.TaskEither<Fault, string> => {
  const { data, server } = options;
  if (data !== undefined && server !== undefined) {
    return TE.left(fault('USAGE', '--data and --server name a broker each; give one of them'));
  }
  if (data !== undefined) return TE.right(resolve(data));
  if (server === undefined && (env.NATS_URL ?? '') === '') return TE.right(resolve(DEFAULT_DATA_DIR));
  return withConnection(options, brokerDataDir);
};
