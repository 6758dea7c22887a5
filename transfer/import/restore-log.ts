import { join, resolve } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { startConfig } from '../../schemas/config.js';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import type { RawRecord } from '../../schemas/record.js';
import type { BrokerLog } from '../../system/lines/broker-log.js';
import { defaultMaxBytes } from '../../broker/log/open-log.js';
import { Lifetime, orThrow, runOrThrow } from '../../system/lifetime.js';
import { claimDataDir } from '../../system/processes/owner.js';
import { startReaper } from '../../system/processes/reaper.js';
import { openServerSide, type ServerSide } from '../../broker/server/server-side.js';
import type { OnProgress } from '../../broker/server/progress.js';
import { compareVersions } from '../../broker/server/version.js';
import { compareLog } from './compare-log.js';
import { checkEmpty, clearBroker } from './empty-broker.js';
import { isImportUnfinished, markImport, unmarkImport } from '../../broker/log/import-mark.js';
import { restoreStream } from './restore-stream.js';
import { StagedRecords } from './staged-records.js';
import { syncTree } from './sync-tree.js';

/** The stages of an import, in order. */
export type RestoreStage = 'read' | 'stored' | 'compared';

export interface RestoreOptions {
  /** A directory without a running broker. It is made if it does not exist. */
  readonly dataDir: string;
  /** In their order. If it throws, the import ends before it changes anything. */
  readonly records: AsyncIterable<RawRecord>;
  /** Size limit of the log in bytes; absent: a share of the free disk space. */
  readonly maxBytes?: number;
  readonly log: BrokerLog;
  readonly onServerProgress: OnProgress;
  /** `total` is 0 while records are read, because their number is not known yet. */
  readonly onProgress: (stage: RestoreStage, done: number, total: number) => void;
}

export interface Restored {
  readonly dataDir: string;
  /** Identity of the new log. */
  readonly logId: string;
  readonly records: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** The first server whose backups are records, not its own files. */
const MIN_VERSION = '2.15.0';

const checkVersion = ({ link: { serverVersion } }: ServerSide): void => {
  if (compareVersions(serverVersion, MIN_VERSION) >= 0) return;
  const message = `nats-server ${serverVersion} cannot restore records: an import needs ${MIN_VERSION} or newer`;
  throw new FaultError(fault('SERVER_TOO_OLD', message));
};

const stage = async (into: StagedRecords, { records, onProgress }: RestoreOptions): Promise<void> => {
  let count = 0;
  for await (const record of records) {
    await into.add(record);
    count += 1;
    onProgress('read', count, 0);
  }
  await into.flush();
};

const fill = async (
  { link: { nc, jsm } }: ServerSide,
  staged: StagedRecords,
  { onProgress, ...options }: RestoreOptions,
): Promise<string> => {
  const { state, length } = staged;
  const maxBytes = options.maxBytes ?? defaultMaxBytes(options.dataDir);
  if (state.bytes > maxBytes) {
    throw new FaultError(
      fault('LOG_FULL', `the records take ${state.bytes} bytes; the log may have ${maxBytes}`),
    );
  }
  await restoreStream(nc, staged, maxBytes, (bytes) => onProgress('stored', bytes, length));
  await compareLog(nc, staged, (count) => onProgress('compared', count, state.messages));
  return (await jsm.streams.info('LOG')).created;
};

const restore = async (given: RestoreOptions, lifetime: Lifetime): Promise<Restored> => {
  const dataDir = resolve(given.dataDir);
  const options = { ...given, dataDir };
  const claim = await runOrThrow(claimDataDir(dataDir));
  lifetime.onStop(() => claim.release());
  const reaper = startReaper();
  lifetime.onStop(() => reaper.close());
  // The records are synced only at the end, so a sync on the way would be useless.
  const config = orThrow(startConfig({ dataDir, natsPort: 0, durability: 'os' }));
  const { log, onServerProgress: onProgress } = options;
  const server = await runOrThrow(
    openServerSide({ config, dataDir, manifests: [], principals: [], reaper, log, onProgress }),
  );
  lifetime.onStop(() => server.stop());
  checkVersion(server);
  const { jsm } = server.link;
  if (!isImportUnfinished(dataDir)) await checkEmpty(jsm, dataDir);

  await using staged = await StagedRecords.open(dataDir);
  await stage(staged, options);
  const { messages: records, first_seq: firstSeq, last_seq: lastSeq } = staged.state;
  if (records === 0) throw new FaultError(fault('IMPORT_INVALID', 'there is no record to import'));
  await markImport(dataDir);
  let logId: string;
  try {
    await clearBroker(jsm, dataDir);
    logId = await fill(server, staged, options);
  } catch (error) {
    // If the import cannot be undone, because the server is gone, the mark stays and reports that.
    await clearBroker(jsm, dataDir).then(
      () => unmarkImport(dataDir),
      () => undefined,
    );
    throw error;
  }
  await server.stop();
  await syncTree(join(dataDir, 'server'));
  await unmarkImport(dataDir);
  return { dataDir, logId, records, firstSeq, lastSeq };
};

/**
 * Makes records the log of an empty broker: each with its sequence, time, subject, headers and payload, read back and
 * compared. The caller owns the directory meanwhile, and it has no files of modules or the gateway.
 *
 * Left: LOG_NOT_EMPTY, DATA_DIR_IN_USE, LOG_FULL, IMPORT_INVALID, IMPORT_DIFFERS, SERVER_TOO_OLD, and the faults of a
 * server's start. Then there is no log, as before. A killed import leaves a mark. With it no broker starts, and the
 * next import starts over.
 */
export const restoreLog =
  (options: RestoreOptions): TaskEither<Fault, Restored> =>
  async () => {
    const lifetime = new Lifetime();
    try {
      return E.right(await restore(options, lifetime));
    } catch (error) {
      return E.left(toFault(error, 'LOG_UNAVAILABLE'));
    } finally {
      await lifetime.stop();
    }
  };
