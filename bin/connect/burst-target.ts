import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Installation } from '../../perf/burst/installation.js';
import { KINDS, type LoadKind } from '../../perf/burst/setting.js';
import { MAX_KEY_BYTES, readBounded } from '../../system/files/bounded-file.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { type BrokerStatus, OPS } from '../../schemas/operate.js';
import { openConnection } from './connect.js';
import { brokerDataDir } from '../../link/broker-data-dir.js';
import { ask } from '../../link/request-broker.js';
import { type CommandTarget, findCommandTarget } from './command-target.js';

export interface BurstTarget extends CommandTarget {
  /** File with the seed of the key that the broker trusts. */
  readonly trusted?: string;
}

const seedIn = (path: string): string => {
  const read = readBounded(path, MAX_KEY_BYTES);
  if (isLeft(read)) throw new FaultError(fault('USAGE', `the key ${path} cannot be read: ${read.left}`));
  return read.right.toString('utf8').trim();
};

/** A running broker for a burst test. The test does not start or stop any of its processes, except by kills. */
export const installationOf =
  (options: BurstTarget, kind: LoadKind): TaskEither<Fault, Installation> =>
  async () => {
    const target = findCommandTarget(options);
    if (isLeft(target)) return target;
    const opened = await openConnection(options)();
    if (isLeft(opened)) return opened;
    const operator = opened.right;
    const refuse = async (problem: Fault) => {
      await operator.close();
      return left(problem);
    };
    const status = await ask<BrokerStatus>(operator, OPS.status)();
    if (isLeft(status)) return refuse(status.left);
    const { module } = KINDS[kind];
    if (!status.right.modules.some(({ name, state }) => name === module && state === 'loaded')) {
      const how = `load it first: \`tallystick module load\` with the directory dist/modules/${module} of this package`;
      return refuse(
        fault('MODULE_UNKNOWN', `the broker at ${target.right.url} has no module ${module}; ${how}`),
      );
    }
    if (kind === 'events' && options.trusted === undefined) {
      const how = `start it with --trust ${module}=PUBLIC_NKEY and give the seed with --trusted-key, or send commands with --calls`;
      return refuse(fault('USAGE', `only a program that the broker trusts writes events: ${how}`));
    }
    const dataDir = await brokerDataDir(operator)();
    const { credential } = target.right;
    try {
      return right({
        url: target.right.url,
        durability: status.right.durability,
        isOwn: false,
        dataDir: isLeft(dataDir) ? undefined : dataDir.right,
        caller:
          credential.kind === 'file'
            ? { seed: seedIn(credential.path), sender: 'operator' }
            : { sender: 'guest' },
        trustedSeed: options.trusted === undefined ? undefined : seedIn(options.trusted),
        operator,
        restart: undefined,
        [Symbol.asyncDispose]: () => operator.close(),
      });
    } catch (error) {
      return refuse(fault('USAGE', `the credential cannot be read: ${(error as Error).message}`));
    }
  };
