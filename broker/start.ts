import { statfsSync, unlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import type { StartConfig } from '../schemas/config.js';
import { type Fault, FaultError, fault, toFault } from '../schemas/errors.js';
import { ADDRESS_FILE, type BrokerAddress, type Ready } from '../schemas/operate.js';
import { epochSubject } from '../schemas/subjects.js';
import type { BrokerLog } from './broker-log.js';
import { Gateway } from './gateway/gateway.js';
import { UnownedCommands } from './gateway/unowned.js';
import { LogIndex } from './index/log-index.js';
import { BROKER, openBrokerEpoch } from './journal/epoch.js';
import { Producer } from './journal/producer.js';
import { ensureLog } from './log/stream.js';
import { serveConsumerCreation } from './operate/consumers.js';
import { serveControl } from './operate/control.js';
import { operations } from './operate/operations.js';
import { serveRequests } from './operate/serve.js';
import { claimDataDir } from './process/owner.js';
import { startReaper } from './process/reaper.js';
import type { OnProgress } from './server/progress.js';
import { openServerSide } from './server/server-side.js';
import { type ModuleSource, readModule } from './supervisor/manifest-file.js';
import { endFold, openModuleEpoch, startModule } from './supervisor/module-start.js';
import { Supervisor } from './supervisor/supervisor.js';

/** What the command line gives beside the configuration: the broker imports no module, it is told where they are. */
export interface BrokerEnvironment {
  /** Program that hosts one JavaScript module. */
  readonly hostEntry: string;
  /** Directories of the modules that ship with the package. */
  readonly shippedModules: readonly string[];
  readonly log: BrokerLog;
  readonly onProgress: OnProgress;
}

export interface RunningBroker {
  readonly ready: Ready;
  /** Takes no more calls, lets modules finish what they handle, ends all processes. Idempotent. */
  readonly stop: () => Promise<void>;
  /** Resolves when the broker cannot go on, with the reason; it must then be stopped. */
  readonly failed: Promise<Fault>;
}

/** Share of the free disk that a new log may take: when a disk is full the server stops answering, so well below it. */
const LOG_SHARE = 0.5;
const DRAIN_MS = 10_000;

const readModules = (dirs: readonly string[]): readonly ModuleSource[] =>
  dirs.map((dir) => orThrowNow(readModule(dir)));

const defaultMaxBytes = (dir: string): number => {
  const { bavail, bsize } = statfsSync(dir);
  return Math.floor(bavail * bsize * LOG_SHARE);
};

const orThrowNow = <A>(result: E.Either<Fault, A>): A => {
  if (E.isLeft(result)) throw new FaultError(result.left);
  return result.right;
};

const orThrow = async <A>(task: TaskEither<Fault, A>): Promise<A> => orThrowNow(await task());

/** The broker that takes the log over says so in the log; one that waited for its own next record would go on serving. */
const onTakeover = (nc: NatsConnection, under: number, tell: () => void): void => {
  nc.subscribe(`live.${epochSubject(BROKER)}`, {
    callback: (error, msg) => {
      if (error === null && Number(msg.headers?.get('Nats-Sequence')) > under) tell();
    },
  });
};

/** Starts the broker: server, log, index, gateway, modules, in this order; what was started is stopped when one fails. */
export const startBroker =
  (config: StartConfig, environment: BrokerEnvironment): TaskEither<Fault, RunningBroker> =>
  async () => {
    const undo: (() => Promise<unknown> | unknown)[] = [];
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => {
      stopped ??= (async () => {
        for (const step of undo.reverse()) await step();
      })();
      return stopped;
    };
    try {
      return E.right(await start(config, environment, undo, stop));
    } catch (error) {
      await stop();
      return E.left(toFault(error));
    }
  };

const start = async (
  config: StartConfig,
  { hostEntry, shippedModules, log, onProgress }: BrokerEnvironment,
  undo: (() => Promise<unknown> | unknown)[],
  stop: () => Promise<void>,
): Promise<RunningBroker> => {
  let fail: (reason: Fault) => void = () => undefined;
  const failed = new Promise<Fault>((resolveFailed) => {
    fail = resolveFailed;
  });
  const dataDir = resolve(config.dataDir);
  const sources = readModules([...(config.shipped ? shippedModules : []), ...config.modules]);
  const claim = await orThrow(claimDataDir(dataDir));
  undo.push(() => claim.release());
  const reaper = startReaper();
  undo.push(() => reaper.close());

  const server = await orThrow(
    openServerSide({
      config,
      dataDir,
      manifests: sources.map(({ manifest }) => manifest),
      reaper,
      log,
      onProgress,
    }),
  );
  undo.push(() => server.stop());
  const { nc, jsm } = server.link;

  const { info, updated } = await orThrow(
    ensureLog(jsm, {
      ...(config.maxBytes === undefined ? {} : { maxBytes: config.maxBytes }),
      defaultMaxBytes: defaultMaxBytes(dataDir),
    }),
  );
  for (const { setting, is, wanted } of updated) {
    log.line('log', `${setting} was ${JSON.stringify(is)} and is now ${JSON.stringify(wanted)}`);
  }
  const logId = info.created;
  const under = await orThrow(openBrokerEpoch(nc));
  onTakeover(nc, under, () => fail(fault('EPOCH_LOST', 'another broker has taken this log over')));

  const producer = await orThrow(
    Producer.open({
      nc,
      name: 'gateway',
      under,
      filters: ['cmd.>', 'res.>'],
      onReplaced: () => fail(fault('EPOCH_LOST', 'another broker has taken this log over')),
      onReopen: (reason) => log.line('gateway', `a new epoch is opened: ${reason.message}`),
    }),
  );
  undo.push(() => producer.close());

  const supervisor = new Supervisor({
    hostEntry,
    natsUrl: server.url,
    snapshotsDir: (module) => join(dataDir, 'snapshots', module),
    reaper,
    grant: (manifest) => server.access.grant(manifest),
    revoke: (module) => server.access.revoke(module),
    start: (manifest, request) => async () => {
      await unowned.idle();
      const started = await startModule({ nc, jsm, under, logId }, manifest, request)();
      if (E.isRight(started) && started.right.republished > 0) {
        log.line(manifest.name, `${started.right.republished} copies that a crash left out are stored`);
      }
      return started;
    },
    started: (module) => endFold({ nc, jsm, under, logId }, module),
    repair: (module) => openModuleEpoch({ nc, jsm, under, logId }, module),
    linkedSince: () => server.link.linkedSince(),
    log: (module, text) => log.line('supervisor', `${module}: ${text}`),
    output: (module, line) => log.line(module, line),
  });
  const unowned = new UnownedCommands(
    producer,
    (module) => supervisor.find(module) !== undefined,
    (text) => log.line('gateway', text),
  );
  undo.push(() => unowned.close());

  const index = new LogIndex({
    nc,
    dir: join(dataDir, 'index'),
    logId,
    lastSeq: info.state.last_seq,
    onCommand: (command) => unowned.consider(command),
    onResult: (command, resultSeq) => gateway.answered(command.seq, resultSeq),
    onFault: (problem) => log.line('index', `${problem.code}: ${problem.message}`),
    onLost: (problem) => fail(problem),
  });
  const gateway = new Gateway({ nc, producer, index, directory: supervisor });
  undo.push(() => index.close());
  if (index.discarded)
    log.line('index', 'the index was of another log, or ahead of this one, and is read anew');

  for (const source of sources) orThrowNow(supervisor.add(source));
  await index.start();
  for (const command of index.commands.all()) unowned.consider(command);

  serveControl(nc, supervisor);
  const handlers = operations({
    jsm,
    supervisor,
    index,
    server: { version: server.link.serverVersion, embedded: server.embedded, url: server.url },
    durability: config.durability,
    dataDir,
  });
  serveRequests(nc, 'ops.>', (subject) => handlers.get(subject));
  serveConsumerCreation(nc);
  gateway.start();
  undo.push(() => gateway.close());
  undo.push(() => supervisor.unloadAll());
  undo.push(() => gateway.drain(DRAIN_MS));

  const addressPath = join(dataDir, ADDRESS_FILE);
  const address: BrokerAddress = { pid: process.pid, nats: server.url, operatorSeed: server.operatorSeed };
  writeFileSync(addressPath, `${JSON.stringify(address)}\n`, { mode: 0o600 });
  undo.push(() => unlinkSync(addressPath));

  await supervisor.loadAll();

  const ready: Ready = {
    ready: true,
    pid: process.pid,
    nats: server.url,
    dataDir,
    durability: config.durability,
    server: { version: server.link.serverVersion, embedded: server.embedded },
    modules: [...supervisor.all()].map(({ name, manifest, pid }) => ({
      name,
      version: manifest.version,
      pid,
    })),
  };
  return { ready, stop, failed };
};
