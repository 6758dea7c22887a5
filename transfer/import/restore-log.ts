import { join, resolve } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { startConfig } from '../../schemas/config.js';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import type { RawRecord } from '../../schemas/record.js';
import type { BrokerLog } from '../../system/lines/broker-log.js';
import { defaultMaxBytes } from '../../broker/log/open-log.js';
import { Lifetime, orThrow, run } from '../../system/lifetime.js';
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

/** What is done with the records, one stage after the other. */
export type RestoreStage = 'read' | 'stored' | 'compared';

export interface RestoreOptions {
  /** A directory without a running broker; made where there is none. */
  readonly dataDir: string;
  /** In their order. What it throws ends the import before anything is changed. */
  readonly records: AsyncIterable<RawRecord>;
  /** Limit of the log, bytes; without it, a share of what the disk has free. */
  readonly maxBytes?: number;
  readonly log: BrokerLog;
  readonly onServerProgress: OnProgress;
  /** `total` is 0 while records are read, of which nobody knows how many come. */
  readonly onProgress: (stage: RestoreStage, done: number, total: number) => void;
}

export interface Restored {
  readonly dataDir: string;
  /** Identity of the log, which is a new one. */
  readonly logId: string;
  readonly records: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** The first server whose backups are records and not files of its own. */
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
      fault('LOG_FULL', `the records take ${state.bytes} bytes and the log may have ${maxBytes}`),
    );
  }
  await restoreStream(nc, staged, maxBytes, (bytes) => onProgress('stored', bytes, length));
  await compareLog(nc, staged, (count) => onProgress('compared', count, state.messages));
  return (await jsm.streams.info('LOG')).created;
};

const restore = async (given: RestoreOptions, lifetime: Lifetime): Promise<Restored> => {
  const dataDir = resolve(given.dataDir);
  const options = { ...given, dataDir };
  const claim = await run(claimDataDir(dataDir));
  lifetime.onStop(() => claim.release());
  const reaper = startReaper();
  lifetime.onStop(() => reaper.close());
  // Of records that are written down only at the end, each sync on the way would be for nothing.
  const config = orThrow(startConfig({ dataDir, natsPort: 0, durability: 'os' }));
  const { log, onServerProgress: onProgress } = options;
  const server = await run(openServerSide({ config, dataDir, manifests: [], reaper, log, onProgress }));
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
    // Where it cannot be taken back, as when the server is gone, the mark stays and says so.
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
 * Makes the log of a broker that has none from records: each has its sequence, time, subject, headers and payload, is read
 * back, and compared. The directory is the caller's meanwhile, and none of what modules or gateway write is in it.
 *
 * Left: LOG_NOT_EMPTY, DATA_DIR_IN_USE, LOG_FULL, IMPORT_INVALID, IMPORT_DIFFERS, SERVER_TOO_OLD and what starts the server
 * can end with; then there is no log, as before. Whoever is killed leaves a mark, with which no broker starts and another
 * import begins anew.
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
