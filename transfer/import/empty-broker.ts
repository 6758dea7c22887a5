import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { FaultError, fault } from '../../schemas/errors.js';
import { AUDIT } from '../../schemas/audit-record.js';
import { LOG } from '../../schemas/log.js';
import { findLog } from '../../broker/streams/log-stream.js';
import { witnessPath } from '../../broker/log/witness-file.js';

/** All records except epochs, which every started broker leaves. */
const ownRecords = async (jsm: JetStreamManager, log: StreamInfo): Promise<number> => {
  const { state } = await jsm.streams.info(LOG, { subjects_filter: 'epoch.>' });
  const epochs = Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
  return log.state.messages - epochs;
};

/** What a broker that has only started has in it. What operators did is no record of a module, and stays. */
const MAY_HAVE_RECORDS: ReadonlySet<string> = new Set([LOG, AUDIT]);

/** LOG_NOT_EMPTY if a broker has records, schedules or dead letters. */
export const checkEmpty = async (jsm: JetStreamManager, dataDir: string): Promise<void> => {
  const log = await findLog(jsm);
  const found: string[] = [];
  const records = log === undefined ? 0 : await ownRecords(jsm, log);
  if (records > 0) found.push(`${records} records`);
  for await (const { config, state } of jsm.streams.list()) {
    if (!MAY_HAVE_RECORDS.has(config.name) && state.messages > 0)
      found.push(`${state.messages} in ${config.name}`);
  }
  if (found.length === 0) return;
  const message = `the broker of ${dataDir} has ${found.join(', ')}; import into another directory`;
  throw new FaultError(fault('LOG_NOT_EMPTY', message));
};

/** Removes the files of a broker that has stored nothing, or of an import that did not end. */
export const clearBroker = async (jsm: JetStreamManager, dataDir: string): Promise<void> => {
  if ((await findLog(jsm)) !== undefined) await jsm.streams.delete(LOG);
  // They were made from that log, or remember it.
  for (const path of [witnessPath(dataDir), join(dataDir, 'index'), join(dataDir, 'snapshots')])
    await rm(path, { recursive: true, force: true });
};
