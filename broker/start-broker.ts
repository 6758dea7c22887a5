import { realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { StartConfig } from '../schemas/config.js';
import { type Fault, FaultError, toFault } from '../schemas/errors.js';
import { ADDRESS_FILE, type BrokerAddress, type Ready } from '../schemas/operate.js';
import { Principals } from './access/principals.js';
import { assemble, type Parts } from './assemble.js';
import { Audit } from './audit/audit.js';
import { startAct, stopAct } from './audit/start-act.js';
import type { BrokerLog } from '../system/lines/broker-log.js';
import { lossFault } from './log/log-failure.js';
import { isLoss, type LogLoss } from './log/log-loss.js';
import { ensureAuditStream } from './streams/audit-stream.js';
import { ensureDeadStream } from './streams/dead-stream.js';
import type { Draft, Receipt } from '../journal/append/draft.js';
import { armFailPoints, FAIL_VARIABLE } from '../system/processes/fail-point.js';
import { type OpenLog, openLog } from './log/open-log.js';
import type { Witness } from './log/witness.js';
import { serveConsumers } from './operate/operator-consumers.js';
import { serveControl } from './operate/serve-control.js';
import { deadOperations } from './operate/dead-operations.js';
import { type OperationsContext, operations } from './operate/operations.js';
import { serveAccess } from './operate/serve-access.js';
import { auditOperations, serveOperators } from './operate/serve-operations.js';
import { settleGrants } from './operate/settle-grants.js';
import { type ProducersContext, serveProducers } from './operate/serve-producers.js';
import type { Listening } from './serving/serve.js';
import { SERVED } from './serving/served.js';
import type { Producer } from '../journal/producer/producer.js';
import { Lifetime, orThrow, runOrThrow } from '../system/lifetime.js';
import { claimDataDir } from '../system/processes/owner.js';
import { startReaper } from '../system/processes/reaper.js';
import { checkImportFinished } from './log/import-mark.js';
import { serveStates } from './states/serve-states.js';
import { openTlsFront } from './tls/tls-front.js';
import { StateThread } from './states/state-thread.js';
import { answerBytes } from './serving/answer.js';
import { scheduleOperations, serveScheduling } from './schedules/serve-schedules.js';
import { watchDurableServer } from './server/durable-server.js';
import type { OnProgress } from './server/progress.js';
import { openServerSide, type ServerSide } from './server/server-side.js';
import { type ModuleSource, readModule } from './supervisor/manifest-file.js';
import { HostSpare } from './supervisor/host-spare.js';
import { ModuleCages } from './supervisor/module-cages.js';
import { findCage } from '../system/cage/find-cage.js';
import { MarksMemory } from './supervisor/marks-memory.js';
import { ModuleMemory } from './supervisor/module-memory.js';
import { inspectPortsOf } from './supervisor/inspect-ports.js';
import { type Rest, startPlan } from './supervisor/start-plan.js';

/** The parameters besides the configuration: the broker imports no module, so the command line names their places. */
export interface BrokerEnvironment {
  /** Program that hosts one JavaScript module. */
  readonly hostEntry: string;
  /** Modules are reloaded again and again: a host waits for the next one. */
  readonly keepsSpareHost?: boolean;
  /** Directories of the modules that ship with the package. */
  readonly shippedModules: readonly string[];
  readonly log: BrokerLog;
  readonly onProgress: OnProgress;
  /** What the log lost, where a broker of this process found that while it ran. */
  readonly knownLoss?: LogLoss;
}

export interface RunningBroker {
  readonly ready: Ready;
  /** Records a command as the gateway does; its subject says who sent it. For a replay of recorded commands. */
  readonly record: (command: Draft) => TaskEither<Fault, Receipt>;
  /** Takes no more calls, lets modules finish what they handle, ends all processes. Idempotent. */
  readonly stop: () => Promise<void>;
  /** Resolves with the reason when the broker cannot continue. Then it must be stopped. */
  readonly failed: Promise<Fault>;
  /** What the log lost while the broker ran, where it failed for that. */
  readonly loss: () => Promise<LogLoss | undefined>;
}

/** How long calls may continue when the broker stops, before their modules are asked to stop too. */
const DRAIN_MS = 10_000;

const ON = `fail-points are on (${FAIL_VARIABLE}): processes of this broker may end at any moment, as a test wants`;

/** How often a start is repeated because its server was killed during it. */
const MAX_STARTS = 3;

/**
 * Starts the broker: server, log, index, gateway, modules, in this order; what was started is stopped when one fails.
 */
export const startBroker =
  (config: StartConfig, environment: BrokerEnvironment): TaskEither<Fault, RunningBroker> =>
  async () => {
    const { log } = environment;
    if (armFailPoints('broker')) log.line('broker', ON);
    for (let begun = 0; ; begun++) {
      // Steps of a start may fail with their own messages because there is no server.
      let wasDown = false;
      const onDown = (): void => {
        wasDown = true;
      };
      const started = await startOnce(config, environment, onDown);
      if (E.isRight(started) || begun === MAX_STARTS || config.natsUrl !== undefined) return started;
      const { code, message } = started.left;
      // Whether to continue after a loss is not decided here (I9).
      if (isLoss(started.left)) return started;
      if (!wasDown && code !== 'SERVER_UNREACHABLE') return started;
      // What follows are the last lines of the server.
      const [what = ''] = message.split('\n');
      log.line('broker', `${code}: ${what}; the server was killed, and the broker starts again`);
    }
  };

const startOnce = async (
  config: StartConfig,
  environment: BrokerEnvironment,
  onDown: () => void,
): Promise<E.Either<Fault, RunningBroker>> => {
  const lifetime = new Lifetime();
  try {
    const { ready, witness, producer } = await start(config, environment, lifetime, onDown);
    return E.right({
      ready,
      record: (command) => producer.append(command, { patient: true }),
      stop: () => lifetime.stop(),
      failed: lifetime.failed,
      loss: () => witness.checked(),
    });
  } catch (error) {
    await lifetime.stop();
    return E.left(toFault(error));
  }
};

const raise = (reason: Fault): never => {
  throw new FaultError(reason);
};

const start = async (
  config: StartConfig,
  { hostEntry, keepsSpareHost = false, shippedModules, log, onProgress, knownLoss }: BrokerEnvironment,
  lifetime: Lifetime,
  onDown: () => void,
): Promise<{ readonly ready: Ready; readonly witness: Witness; readonly producer: Producer }> => {
  const dataDir = resolve(config.dataDir);
  const sources = (dirs: readonly string[]): readonly ModuleSource[] =>
    dirs.map((dir) => orThrow(readModule(dir)));
  const shipped = sources(config.shipped ? shippedModules : []);
  const given = sources(config.modules);
  const claim = await runOrThrow(claimDataDir(dataDir));
  lifetime.onStop(() => claim.release());
  orThrow(checkImportFinished(dataDir));
  const memory = orThrow(ModuleMemory.open(dataDir));
  const marks = orThrow(MarksMemory.open(dataDir, (text) => log.line('supervisor', text)));
  const isShipped = (dir: string): boolean => shippedModules.some((each) => resolve(each) === dir);
  const principals = orThrow(Principals.open(dataDir, (text) => log.line('access', text)));
  lifetime.onStop(() => principals.close());
  const plan = startPlan({ shipped, given, isShipped, remembered: memory.all, read: readModule });
  const inspectPorts = orThrow(inspectPortsOf(config.inspected, plan));
  const reaper = startReaper();
  lifetime.onStop(() => reaper.close());

  const audit = new Audit((text) => log.line('audit', text));
  const found = findCage(config.cage);
  if (config.cage === 'required') orThrow(await found);

  const manifests = plan.filter(({ rest }) => rest === undefined).map(({ source }) => source.manifest);
  const server = await runOrThrow(
    openServerSide({
      config,
      dataDir,
      manifests,
      principals: principals.current(),
      reaper,
      log,
      onProgress,
      onServerLine: (line) => audit.serverSaid(line),
      onDown,
    }),
  );
  lifetime.onStop(() => server.stop());
  principals.follow(server.access);
  const { cage, status: cageStatus } = orThrow(await found);
  const cages = new ModuleCages({
    cage,
    dataDir: realpathSync(dataDir),
    natsUrl: server.url,
    isShared: keepsSpareHost,
  });
  const spare = keepsSpareHost ? new HostSpare(hostEntry, reaper, cages) : undefined;
  lifetime.onStop(() => spare?.close());
  lifetime.onStop(
    watchDurableServer(server.link, config.durability, server.url, (problem) => lifetime.fail(problem)),
  );
  const { nc, jsm } = server.link;
  const { maxBytes, durability, onLogLoss } = config;
  const open = await openLog({ nc, jsm, dataDir, maxBytes, durability, onLogLoss, knownLoss, log, lifetime });
  await runOrThrow(ensureDeadStream(jsm));
  await runOrThrow(ensureAuditStream(jsm));
  audit.open(nc);
  lifetime.onStop(() => audit.close());

  const parts = assemble({
    server,
    open,
    dataDir,
    hostEntry,
    spare,
    inspectPorts,
    cages,
    memory,
    marks,
    principals,
    audit,
    reaper,
    log,
    lifetime,
  });
  const { modules, supervisor, index, gateway } = parts;
  orThrow(supervisor.plan(plan));
  for (const { source, rest } of plan) if (rest !== undefined) log.line('supervisor', restText(source, rest));
  parts.reader.start();
  await index.start();
  const loss = await open.witness.checked();
  if (loss !== undefined) throw new FaultError(lossFault(loss, onLogLoss));

  await parts.room.start();
  await recordGrants(server, parts, open, log);
  const listen = await listening(config, server, lifetime, log);
  const context = { ...contextOf(config, dataDir, server, parts), cage: cageStatus, audit, listen };
  const serving = [
    ...serve(server, parts, context, open.producer, audit, marks),
    serveAccess(
      {
        nc,
        principals,
        producer: open.producer,
        ownKeys: () => server.access.ownKeys,
        log: (text) => log.line('access', text),
      },
      audit,
    ),
    ...serveProducers(producersContext(config, open, parts)),
  ];
  const states = new StateThread({
    dataDir,
    maxBytes: answerBytes(nc),
    say: (text) => log.line('states', text),
  });
  lifetime.onStop(() => states.close());
  const stateMarks = (module: string) => marks.of(module).state;
  serving.push(serveStates({ nc, directory: modules, entrance: parts.entrance, states, marks: stateMarks }));
  await server.link.people.flush();
  lifetime.onReplaced(() => {
    gateway.retire();
    supervisor.abandonAll();
    for (const subscription of serving) subscription.unsubscribe();
  });
  parts.firings.start();
  lifetime.onStop(() => gateway.close());
  lifetime.onStop(() => supervisor.unloadAll());
  lifetime.onStop(() => gateway.drain(DRAIN_MS));
  lifetime.onStop(() => audit.act(stopAct()));
  await audit.act(startAct({ ...config, dataDir }));
  publishAddress(dataDir, server, lifetime);
  await Promise.race([supervisor.loadAll(), lifetime.failed.then(raise)]);
  const ready: Ready = {
    ready: true,
    pid: process.pid,
    nats: server.url,
    dataDir,
    durability: config.durability,
    server: { version: context.server.version, embedded: context.server.embedded },
    guest: config.guest,
    listen,
    modules: [...modules.all()].map(({ name, manifest: { version }, pid }) => ({ name, version, pid })),
  };
  return { ready, witness: open.witness, producer: open.producer };
};

/** Opens the address for other machines, and returns it; null if there is none. */
const listening = async (
  { listen }: StartConfig,
  { url }: ServerSide,
  lifetime: Lifetime,
  log: BrokerLog,
): Promise<string | null> => {
  if (listen === undefined) return null;
  const serverPort = Number(new URL(url).port);
  const front = await runOrThrow(openTlsFront({ listen, serverPort, say: (text) => log.line('tls', text) }));
  lifetime.onStop(() => front.close());
  return front.url;
};

/** The log says who may do what before the first request is served. A full log does not stop a start. */
const recordGrants = async (
  { link: { nc, jsm } }: ServerSide,
  { index, principals }: Parts,
  { producer }: OpenLog,
  log: BrokerLog,
): Promise<void> => {
  try {
    await settleGrants({ nc, jsm, producer, commands: index.commands, principals });
  } catch (error) {
    log.line('access', `the log does not say yet who may do what: ${toFault(error).message}`);
  }
};

const producersContext = (
  { trusted }: StartConfig,
  { nc, under, durability }: OpenLog,
  { modules, outside, refusal, entrance }: Parts,
): ProducersContext => ({
  nc,
  under,
  durability,
  directory: modules,
  outside,
  refusal,
  entrance,
  trusted: new Set(trusted.map(({ module }) => module)),
});

const restText = ({ dir, manifest: { name } }: ModuleSource, { state, reason }: Rest): string =>
  reason === null
    ? `${name} was unloaded and stays so: \`tallystick module load ${dir}\` starts it`
    : `${name} is ${state}: ${reason}`;

const contextOf = (
  { durability, guest }: StartConfig,
  dataDir: string,
  { url, embedded, link, pid }: ServerSide,
  { modules, supervisor, index, refusal, entrance }: Parts,
): Omit<OperationsContext, 'cage' | 'audit' | 'listen'> => ({
  nc: link.nc,
  jsm: link.jsm,
  refusal,
  waiting: () => entrance.turnstile.waiting(),
  dropped: () => entrance.closed.callsDropped,
  modules,
  supervisor,
  index,
  server: { version: link.serverVersion, embedded, url },
  serverPid: pid,
  durability,
  guest,
  dataDir,
});

/** Begins to answer modules, operators and callers. */
const serve = (
  { link }: ServerSide,
  { modules, gateway, schedules, index, stacks, refusal, entrance }: Parts,
  context: OperationsContext,
  producer: Producer,
  audit: Audit,
  marks: MarksMemory,
): readonly Listening[] => {
  const handlers = new Map([
    ...operations(context),
    ...scheduleOperations(schedules),
    ...deadOperations({ nc: link.nc, jsm: context.jsm, producer, index, refusal }),
    ...auditOperations(context.jsm, () => marks.all),
  ]);
  const serving = [
    serveControl(link.nc, modules, stacks),
    serveOperators(link.nc, SERVED.operations, audit, (subject) => handlers.get(subject)),
    ...serveConsumers(link.nc),
    serveScheduling(link.nc, schedules, modules, refusal, entrance),
  ];
  gateway.start();
  return serving;
};

/** Leaves word in the data directory of where the broker is, for the command line. */
const publishAddress = (dataDir: string, { url, operatorSeed }: ServerSide, lifetime: Lifetime): void => {
  const path = join(dataDir, ADDRESS_FILE);
  const address: BrokerAddress = { pid: process.pid, nats: url, operatorSeed };
  writeFileSync(path, `${JSON.stringify(address)}\n`, { mode: 0o600 });
  lifetime.onStop(() => rmSync(path, { force: true }));
};
