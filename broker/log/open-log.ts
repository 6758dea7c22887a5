import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { JetStreamManager } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import type { StartConfig } from '../../schemas/config.js';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { LIVE } from '../../schemas/live.js';
import { type Durability, LOG } from '../../schemas/log.js';
import { epochSubject } from '../../schemas/subjects.js';
import type { BrokerLog } from '../../system/lines/broker-log.js';
import { BROKER, openBrokerEpoch } from '../../journal/epochs/epoch.js';
import { brokerEpochs } from '../../journal/epochs/epoch-source.js';
import { lastEpochOf } from '../../journal/epochs/epoch-holder.js';
import { GROUPING } from '../../journal/append/grouping.js';
import { linkState } from '../../link/link-state.js';
import { linkedRequest } from '../../link/linked-request.js';
import { lastHeaderOf } from '../../link/message-headers.js';
import { Producer } from '../../journal/producer/producer.js';
import { LmdbOutbox } from '../../store/outbox/lmdb-outbox.js';
import { type Lifetime, runOrThrow } from '../../system/lifetime.js';
import { resumeAfterLoss, lossAtStart } from './resume-log.js';
import { type LogFailure, logFailure } from './log-failure.js';
import type { LogLoss } from './log-loss.js';
import { KeptPositions } from '../streams/kept-positions.js';
import { ensureLog, findLog } from '../streams/log-stream.js';
import { WholeLog } from './whole-log.js';
import { Witness } from './witness.js';
import { pause } from '../../system/async/pause.js';

/** What the gateway stores: commands, results of commands that no module can give, cancels and restarts. */
const GATEWAY_PREFIXES = ['cmd.', 'res.', 'cancel.', 'restart.'] as const;

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
  /** Writes the records of the broker: calls, and results of commands for unknown modules. */
  readonly producer: Producer;
  /** What the broker has seen of the log. */
  readonly witness: Witness;
  readonly whole: WholeLog;
  readonly failure: LogFailure;
  /** Another broker has taken the log over: this one replies no more, and ends. */
  readonly replaced: () => void;
}

export interface OpenLogOptions {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  /** Directory on the disk that a new log is to share. */
  readonly dataDir: string;
  readonly maxBytes: number | undefined;
  readonly durability: Durability;
  readonly onLogLoss: StartConfig['onLogLoss'];
  /** A loss that a broker of this process found while it ran. */
  readonly knownLoss: LogLoss | undefined;
  readonly log: BrokerLog;
  readonly lifetime: Lifetime;
}

/** Share of the free disk that a new log may take: when a disk is full the server stops answering, so well below it. */
const LOG_SHARE = 0.5;

/** Limit of a new log on the disk of this directory, bytes. */
export const defaultMaxBytes = (dir: string): number => {
  const { bavail, bsize } = statfsSync(dir);
  return Math.floor(bavail * bsize * LOG_SHARE);
};

/** The broker's own producer: calls, and results of commands for unknown modules. */
const GATEWAY = 'gateway';

const TIMEOUT_MS = 5_000;

const REPLACED = fault('EPOCH_LOST', 'another broker has taken this log over');

/**
 * The broker that takes the log over says so in the log, and to the broker before, which would serve on until its own
 * next record: with the epoch's record on `live.…`, before it serves anything. So the broker before is told before any
 * request that both get. Where that was lost with a connection, it looks.
 */
const tellTakeover = async (nc: NatsConnection, under: number): Promise<void> => {
  const body = JSON.stringify({ seq: under });
  // With the headers that name the sequence.
  const { data, headers } = await linkedRequest(nc, `$JS.API.DIRECT.GET.${LOG}`, body, {
    timeout: TIMEOUT_MS,
  });
  nc.publish(LIVE + epochSubject(BROKER), data, headers === undefined ? {} : { headers });
};

const onTakeover = (nc: NatsConnection, under: number, tell: () => void): void => {
  const link = linkState(nc);
  link.onChange(() => {
    if (!link.isUp) return;
    void lastEpochOf(nc, BROKER)().then((last) => {
      if (E.isRight(last) && (last.right ?? 0) > under) tell();
    });
  });
  nc.subscribe(LIVE + epochSubject(BROKER), {
    callback: (error, msg) => {
      if (error === null && Number(lastHeaderOf(msg, HEADER.storedSequence)) > under) tell();
    },
  });
};

/**
 * What calls wait for the log longer than this, the outbox keeps: a log that is well has them long before, and then
 * they cost nothing. See docs/decisions/0023.
 */
const KEEP_AFTER_MS = 100;

/** How long a start waits for what the broker before had accepted; it comes before new calls however long it takes. */
const RESUME_WAIT_MS = 30_000;

/** The broker works without one: calls are as safe as their callers, who have no answer. */
const openOutbox = async (dataDir: string, log: BrokerLog): Promise<LmdbOutbox | undefined> => {
  const onFault = ({ code, message }: Fault): void =>
    log.line('outbox', `${code}: ${message}`, { level: 'error' });
  const opened = await LmdbOutbox.open({ dir: join(dataDir, 'outbox'), delayMs: KEEP_AFTER_MS, onFault })();
  if (E.isRight(opened)) return opened.right;
  onFault(opened.left);
  return undefined;
};

const resumed = async (producer: Producer, log: BrokerLog): Promise<void> => {
  const told = producer.resumed.then(({ records, found, stored, fault: reason }) => {
    if (records === 0) return;
    const left = records - found - stored;
    const rest = reason === undefined ? '' : `; ${left} stay until the next start: ${reason.message}`;
    log.line('outbox', `of ${records} calls of the broker before, ${stored} are recorded now${rest}`);
  });
  await Promise.race([told, pause(RESUME_WAIT_MS, { ref: false })]);
};

/** Makes or checks the stream, takes it over and opens the broker's own producer. Throws the fault of what fails. */
export const openLog = async ({
  nc,
  jsm,
  dataDir,
  maxBytes,
  durability,
  onLogLoss,
  knownLoss,
  log,
  lifetime,
}: OpenLogOptions): Promise<OpenLog> => {
  const witness = new Witness({
    nc,
    jsm,
    dataDir,
    onTrouble: (text) => log.line('log', text, { level: 'warn' }),
  });
  lifetime.onStop(() => witness.close());
  const found = await findLog(jsm).catch((error: unknown) => {
    throw new FaultError(toFault(error, 'LOG_UNAVAILABLE'));
  });
  const loss = await lossAtStart(witness, found, onLogLoss, knownLoss);
  const { info, updated } = await runOrThrow(
    ensureLog(jsm, {
      ...(maxBytes === undefined ? {} : { maxBytes }),
      defaultMaxBytes: defaultMaxBytes(dataDir),
    }),
  );
  for (const { setting, is, wanted } of updated) {
    log.line('log', `${setting} was ${JSON.stringify(is)} and is now ${JSON.stringify(wanted)}`);
  }
  if (loss !== undefined) {
    await resumeAfterLoss(loss, { dataDir, jsm, log });
    await new KeptPositions(nc, jsm).lose(loss.agreesTo);
  }
  await witness.begin(info, loss);
  const failure = logFailure(witness, onLogLoss, (reason) => lifetime.fail(reason));
  const under = await runOrThrow(openBrokerEpoch(nc));
  const replaced = (): void => {
    lifetime.replaced();
    failure.fail(REPLACED);
  };
  await runOrThrow(
    TE.tryCatch(
      () => tellTakeover(nc, under),
      (error) => toFault(error, 'LOG_UNAVAILABLE'),
    ),
  );
  onTakeover(nc, under, replaced);
  const outbox = await openOutbox(dataDir, log);
  const producer = await runOrThrow(
    Producer.open({
      nc,
      name: GATEWAY,
      epochs: brokerEpochs({ nc, producer: GATEWAY, under, prefixes: GATEWAY_PREFIXES }),
      prefixes: GATEWAY_PREFIXES,
      grouping: GROUPING[durability],
      onReplaced: replaced,
      onReopen: (reason) => log.line('gateway', `a new epoch is opened: ${reason.message}`),
      ...(outbox === undefined ? {} : { outbox }),
    }),
  );
  lifetime.onStop(() => producer.close());
  await resumed(producer, log);
  return {
    nc,
    jsm,
    under,
    logId: info.created,
    durability,
    lastSeq: info.state.last_seq,
    producer,
    witness,
    whole: new WholeLog(nc, witness, info.state.last_seq),
    failure,
    replaced,
  };
};
