import { createWriteStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { NatsConnection } from 'nats';
import { makeDirs } from '../../system/files/make-dirs.js';
import { typedLog } from '../output/typed-program.js';
import { stderrLog } from '../../system/lines/broker-log.js';
import { type Lifetime, orThrow, runOrThrow } from '../../system/lifetime.js';
import { restoreLog } from '../../transfer/import/restore-log.js';
import { progressReporter } from '../../broker/server/progress.js';
import { type RunningBroker, startBroker } from '../../broker/start-broker.js';
import { recordsBefore } from '../../replay/sandbox/recorded-range.js';
import { startConfig } from '../../schemas/config.js';
import { FaultError, fault } from '../../schemas/errors.js';
import type { StoredMessage } from '../../schemas/record.js';
import { progressBar } from '../text/progress-bar.js';
import type { SandboxModule } from './sandbox-modules.js';
import { HOST_ENTRY } from './run-broker.js';

/** A directory that is not empty belongs to another user of it. */
export const checkFree = (dir: string): void => {
  if (!existsSync(dir) || readdirSync(dir).length === 0) return;
  throw new FaultError(fault('USAGE', `--sandbox: ${dir} is not empty; name an empty directory`));
};

/** Fills the sandbox with the records before the range. Returns the commands that wait for a result there. */
export const fillSandbox = async (
  nc: NatsConnection,
  dataDir: string,
  fromSeq: number,
): Promise<ReadonlyMap<number, StoredMessage>> => {
  const open = new Map<number, StoredMessage>();
  if (fromSeq <= 1) return open;
  using server = progressReporter();
  using bar = progressBar('records before', fromSeq - 1);
  await runOrThrow(
    restoreLog({
      dataDir,
      records: recordsBefore(nc, fromSeq, open),
      log: typedLog(stderrLog()),
      onServerProgress: server.onProgress,
      onProgress: (stage, done) => (stage === 'read' ? bar.update(done) : undefined),
    }),
  );
  return open;
};

/** A broker on the sandbox. Its output goes into a file there. */
export const startSandbox = async (
  dataDir: string,
  modules: readonly SandboxModule[],
  lifetime: Lifetime,
): Promise<RunningBroker> => {
  using server = progressReporter();
  makeDirs(dataDir);
  const config = orThrow(
    startConfig({
      dataDir,
      natsPort: 0,
      durability: 'os',
      shipped: false,
      modules: modules.map(({ dir }) => dir),
    }),
  );
  const broker = await runOrThrow(
    startBroker(config, {
      hostEntry: HOST_ENTRY,
      shippedModules: [],
      log: stderrLog(createWriteStream(join(dataDir, 'broker.log'), { flags: 'a' })),
      onProgress: server.onProgress,
    }),
  );
  lifetime.onStop(() => broker.stop());
  return broker;
};
