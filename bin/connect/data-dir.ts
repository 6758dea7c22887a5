import { resolve } from 'node:path';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { brokerDataDir } from '../../link/broker-data-dir.js';
import { DEFAULT_DATA_DIR } from '../../schemas/config.js';
import type { Fault } from '../../schemas/errors.js';
import { type CommandTarget, findCommandTarget } from './command-target.js';
import { withConnection } from './connect.js';

const WITHOUT_BROKER: ReadonlySet<string> = new Set(['BROKER_UNREACHABLE', 'DATA_DIR_UNUSABLE']);

/** Whether a broker is named by its address: then its data directory may be on another machine. */
export const isNamedByAddress = (options: CommandTarget): boolean => {
  const target = findCommandTarget(options);
  return isRight(target) && target.right.dataDir === undefined;
};

/**
 * The data directory to read snapshots from. That of a data directory needs no broker. A broker that is named by its
 * address is asked for its directory. {@link findCommandTarget} decides which broker is meant.
 */
export const findDataDir = (options: CommandTarget): TE.TaskEither<Fault, string> => {
  const target = findCommandTarget(options);
  // No broker runs there, and its snapshots can be read all the same.
  const isHere = isLeft(target) && WITHOUT_BROKER.has(target.left.code);
  if (isHere) return TE.right(resolve(options.data ?? DEFAULT_DATA_DIR));
  if (isLeft(target)) return TE.left(target.left);
  const { dataDir } = target.right;
  return dataDir === undefined ? withConnection(options, (nc) => brokerDataDir(nc)) : TE.right(dataDir);
};
