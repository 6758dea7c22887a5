import { statfsSync } from 'node:fs';
import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { fault } from '../../schemas/errors.js';
import type { Durability } from '../../schemas/log.js';
import { epochSubject } from '../../schemas/subjects.js';
import type { BrokerLog } from '../broker-log.js';
import { BROKER, openBrokerEpoch } from '../journal/epoch.js';
import { brokerEpochs } from '../journal/epoch-source.js';
import { GROUPING } from '../journal/grouping.js';
import { Producer } from '../journal/producer.js';
import { type Lifetime, run } from '../process/lifetime.js';
import { ensureLog } from './stream.js';

/** The log, taken over by this broker. */
export interface OpenLog {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  /** The broker's own epoch: what it writes under another one's is refused. */
  readonly under: number;
  /** Identity of the log: what is derived from another one is of no use. */
  readonly logId: string;
  readonly durability: Durability;
  /** Where the log stood when it was opened. */
  readonly lastSeq: number;
  /** Writes what the broker itself records: calls, and answers to commands that nobody owns. */
  readonly producer: Producer;
}

export interface OpenLogOptions {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  /** Directory on the disk that a new log is to share. */
  readonly dataDir: string;
  readonly maxBytes: number | undefined;
  readonly durability: Durability;
  readonly log: BrokerLog;
  readonly lifetime: Lifetime;
}

/** Share of the free disk that a new log may take: when a disk is full the server stops answering, so well below it. */
const LOG_SHARE = 0.5;

const defaultMaxBytes = (dir: string): number => {
  const { bavail, bsize } = statfsSync(dir);
  return Math.floor(bavail * bsize * LOG_SHARE);
};

/** The broker's own producer: calls that it records, answers to commands that nobody owns. */
const GATEWAY = 'gateway';

const REPLACED = fault('EPOCH_LOST', 'another broker has taken this log over');

/** The broker that takes the log over says so in the log; one that waited for its own next record would go on serving. */
const onTakeover = (nc: NatsConnection, under: number, tell: () => void): void => {
  nc.subscribe(`live.${epochSubject(BROKER)}`, {
    callback: (error, msg) => {
      if (error === null && Number(msg.headers?.get('Nats-Sequence')) > under) tell();
    },
  });
};

/** Makes or checks the stream, takes it over and opens the broker's own producer. Throws the fault of what fails. */
export const openLog = async ({
  nc,
  jsm,
  dataDir,
  maxBytes,
  durability,
  log,
  lifetime,
}: OpenLogOptions): Promise<OpenLog> => {
  const { info, updated } = await run(
    ensureLog(jsm, {
      ...(maxBytes === undefined ? {} : { maxBytes }),
      defaultMaxBytes: defaultMaxBytes(dataDir),
    }),
  );
  for (const { setting, is, wanted } of updated) {
    log.line('log', `${setting} was ${JSON.stringify(is)} and is now ${JSON.stringify(wanted)}`);
  }
  const under = await run(openBrokerEpoch(nc));
  onTakeover(nc, under, () => lifetime.fail(REPLACED));
  const producer = await run(
    Producer.open({
      nc,
      name: GATEWAY,
      epochs: brokerEpochs({ nc, producer: GATEWAY, under, filters: ['cmd.>', 'res.>'] }),
      grouping: GROUPING[durability],
      onReplaced: () => lifetime.fail(REPLACED),
      onReopen: (reason) => log.line('gateway', `a new epoch is opened: ${reason.message}`),
    }),
  );
  lifetime.onStop(() => producer.close());
  return { nc, jsm, under, logId: info.created, durability, lastSeq: info.state.last_seq, producer };
};
