import { resolve } from 'node:path';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { keepBundler } from '../../modules/bundle/bundle-source.js';
import { keepDescriber } from '../../modules/bundle/describer.js';
import { DEFAULT_NATS_PORT, startConfig } from '../../schemas/config.js';
import type { Fault } from '../../schemas/errors.js';
import { checkServerPort } from '../../broker/server/server-port.js';
import { dataDirOwner } from '../../system/processes/owner.js';
import { runBroker } from '../jobs/run-broker.js';
import type { ExitCode } from '../output/exit.js';
import type { DevEvent } from './dev-event.js';
import { DevSession } from './dev-session.js';
import { findDevSources } from './dev-sources.js';

export interface DevOptions {
  readonly data: string;
  readonly natsPort?: string;
  readonly durability: string;
  readonly shipped: boolean;
  readonly types: boolean;
  readonly inspect?: readonly string[];
  readonly guest?: string;
  readonly reveal?: boolean;
}

const HOST = '127.0.0.1';

/**
 * The port of the server. Another program may have the usual one: then any free port does, because clients find the
 * broker by its data directory.
 */
const portOf = async (
  { natsPort }: DevOptions,
  tell: (event: DevEvent) => void,
): Promise<string | number> => {
  if (natsPort !== undefined) return natsPort;
  const free = await checkServerPort(HOST, DEFAULT_NATS_PORT)();
  if (isRight(free) || free.left.code !== 'PORT_IN_USE') return DEFAULT_NATS_PORT;
  const [why = ''] = free.left.message.split(':');
  tell({ event: 'note', text: `${why}; this broker takes a free port` });
  return 0;
};

/**
 * Runs a broker in this process with the modules of the named sources, and keeps it up to date with them until a signal
 * ends it.
 */
export const runDev =
  (
    named: readonly string[],
    options: DevOptions,
    tell: (event: DevEvent) => void,
  ): TaskEither<Fault, ExitCode> =>
  async () => {
    const cwd = process.cwd();
    const sources = findDevSources(named, cwd);
    if (isLeft(sources)) return sources;
    const dataDir = resolve(options.data);
    // If another broker has the directory, the start below refuses it, and its port is no surprise.
    const natsPort = dataDirOwner(dataDir) === undefined ? await portOf(options, tell) : 0;
    const config = startConfig({
      dataDir,
      natsPort,
      durability: options.durability,
      shipped: options.shipped,
      grant: true,
      inspected: options.inspect,
      guest: options.guest,
    });
    if (isLeft(config)) return config;
    await using _bundler = keepBundler();
    using _describer = keepDescriber();
    const session = new DevSession({
      cwd,
      dataDir,
      sources: sources.right,
      checksTypes: options.types,
      reveal: options.reveal === true,
      tell,
    });
    try {
      const modules = await session.build();
      return await runBroker(
        { ...config.right, modules: [...modules] },
        {
          log: session.log,
          keepsSpareHost: true,
          onReady: (ready) => void session.serve(ready),
          onStopping: () => void session.close(),
        },
      )();
    } finally {
      await session.close();
    }
  };
