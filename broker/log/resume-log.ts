import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import type { StartConfig } from '../../schemas/config.js';
import { FaultError } from '../../schemas/errors.js';
import { LOG } from '../../schemas/log.js';
import type { BrokerLog } from '../../system/lines/broker-log.js';
import { lossFault } from './log-failure.js';
import type { LogLoss } from './log-loss.js';
import { keepBeforeLoss } from './loss-copies.js';
import type { Witness } from './witness.js';

/**
 * Compares the log with what was seen of it. Throws the loss where the broker is to stop: before anything is written,
 * so that a better copy can still be put in its place. `known`: a loss that the broker found while it ran.
 */
export const lossAtStart = async (
  witness: Witness,
  found: StreamInfo | undefined,
  onLogLoss: StartConfig['onLogLoss'],
  known: LogLoss | undefined,
): Promise<LogLoss | undefined> => {
  const loss = known ?? (await witness.compare(found));
  if (loss !== undefined && onLogLoss === 'stop') throw new FaultError(lossFault(loss, onLogLoss));
  return loss;
};

/** Where modules stand in the log is the server's memory of it, and no better than the log itself. */
const forgetConsumers = async (jsm: JetStreamManager): Promise<void> => {
  for await (const { name, config } of jsm.consumers.list(LOG)) {
    const filters = config.filter_subjects ?? [config.filter_subject];
    if (filters.includes(`cmd.${name}.>`)) await jsm.consumers.delete(LOG, name);
  }
};

/** Keeps the data of the old log aside, and starts over with the new one. */
export const resumeAfterLoss = async (
  loss: LogLoss,
  {
    dataDir,
    jsm,
    log,
  }: { readonly dataDir: string; readonly jsm: JetStreamManager; readonly log: BrokerLog },
): Promise<void> => {
  log.line('log', `${loss.code}: ${loss.message}`, { level: 'error' });
  const { dir } = keepBeforeLoss(dataDir, loss);
  log.line(
    'log',
    `snapshots and index are kept as they were in ${dir}; states are folded from the log again`,
  );
  await forgetConsumers(jsm);
};
