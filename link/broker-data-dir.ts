import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import type { CageMode } from '../schemas/cage.js';
import { type Fault, fault } from '../schemas/errors.js';
import { type BrokerStatus, OPS } from '../schemas/operate.js';
import { ask } from './request-broker.js';
import { readAddress } from './target.js';

export interface BrokerCage {
  readonly secret: string;
  readonly cage: CageMode;
}

/** The data directory of the broker, if it is on this machine; otherwise USAGE. */
const whereItIs = ({ dataDir, pid, server }: BrokerStatus): TE.TaskEither<Fault, string> => {
  const address = readAddress(dataDir);
  // A directory of that name here may be another broker's.
  if (address?.pid === pid && address.nats === server.url) return TE.right(dataDir);
  const text = `the broker at ${server.url} has its snapshots in ${dataDir}, which is not on this machine`;
  return TE.left(
    fault(
      'USAGE',
      `${text}: snapshots are read by memory map; run this on that machine, or give a copy with --data`,
    ),
  );
};

/** The data directory of the broker at the other end of a connection; USAGE if it is on another machine. */
export const brokerDataDir = (nc: NatsConnection): TE.TaskEither<Fault, string> =>
  pipe(ask<BrokerStatus>(nc, OPS.status), TE.chain(whereItIs));

/** What code of its modules must not read, and whether it runs in a cage: as the broker has it. */
export const brokerCage = (nc: NatsConnection): TE.TaskEither<Fault, BrokerCage> =>
  pipe(
    ask<BrokerStatus>(nc, OPS.status),
    TE.map(({ dataDir, cage }) => ({ secret: dataDir, cage: cage.mode })),
  );
