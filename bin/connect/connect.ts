import type { Command } from 'commander';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { openTargetConnection } from '../../link/open-target.js';
import { DEFAULT_DATA_DIR } from '../../schemas/config.js';
import type { Fault } from '../../schemas/errors.js';
import { type CommandTarget, type FoundTarget, findCommandTarget } from './command-target.js';

export const withTargetOptions = (command: Command): Command =>
  command
    .option('--data <dir>', `data directory of the broker (default: NATS_URL, else ./${DEFAULT_DATA_DIR})`)
    .option('--server <url>', 'a NATS server that a broker uses')
    .option('--creds <file>', 'credential: a .creds file or a file with an nkey seed')
    .option('--token <file>', 'token of `token create`; it names the server too (default: TALLYSTICK_TOKEN)')
    .option('--context <name>', 'a broker that `connect add` has stored (default: the one of `connect use`)')
    .option('--tls-ca <file>', 'authority of the broker, PEM (default: NATS_CA, else those of the system)')
    .option('--tls-cert <file>', 'certificate of the client, PEM (default: NATS_CERT)')
    .option('--tls-key <file>', 'key of that certificate, PEM (default: NATS_KEY)')
    .option('--json', 'print JSON');

/** A connection that the caller closes; otherwise like `withConnection`. */
export const openConnection =
  (options: CommandTarget): TaskEither<Fault, NatsConnection> =>
  async () => {
    const target = findCommandTarget(options);
    return isLeft(target) ? target : openTargetConnection(target.right)();
  };

/**
 * Connects, runs the work, and closes in every case. BROKER_UNREACHABLE, SERVER_REFUSED or USAGE before the work
 * starts.
 */
export const withConnection =
  <T>(
    options: CommandTarget,
    work: (nc: NatsConnection, target: FoundTarget) => TaskEither<Fault, T>,
  ): TaskEither<Fault, T> =>
  async () => {
    const target = findCommandTarget(options);
    if (isLeft(target)) return target;
    const opened = await openTargetConnection(target.right)();
    if (isLeft(opened)) return opened;
    try {
      return await work(opened.right, target.right)();
    } finally {
      await opened.right.close();
    }
  };
