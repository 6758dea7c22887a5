import { realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Producer } from '../journal/producer/producer.js';
import type { StartConfig } from '../schemas/config.js';
import { type Fault, FaultError, toFault } from '../schemas/errors.js';
import { ADDRESS_FILE, type BrokerAddress, type Ready } from '../schemas/operate.js';
import { violatingConnection } from './audit/server-refusals.js';
import { ServerViolations } from './serving/server-violations.js';
import { findCage } from '../system/cage/find-cage.js';
import { type Lifetime, orThrow, runOrThrow } from '../system/lifetime.js';
import type { BrokerLog } from '../system/lines/broker-log.js';
import { type Reaper, startReaper } from '../system/processes/reaper.js';
import { withoutTokenBy } from './access/limits.js';
import { assemble, type Parts } from './assemble.js';
import { Audit } from './audit/audit.js';
import { startAct, stopAct } from './audit/start-act.js';
import type { BrokerEnvironment } from './broker-environment.js';
import { type DataDirectory, openDataDirectory, restText } from './data-directory.js';
import { BrokerLines } from './lines/broker-lines.js';
import { lossFault } from './log/log-failure.js';
import { type OpenLog, openLog } from './log/open-log.js';
import type { Witness } from './log/witness.js';
import { settleGrants } from './operate/settle-grants.js';
import { serveBroker } from './serve-broker.js';
import { watchDurableServer } from './server/durable-server.js';
import { openServerSide, type ServerSide } from './server/server-side.js';
import { ensureAuditStream } from './streams/audit-stream.js';
import { ensureDeadStream } from './streams/dead-stream.js';
import { HostSpare } from './supervisor/host-spare.js';
import { ModuleCages } from './supervisor/module-cages.js';
import { answerBytes } from './serving/answer.js';
import { readRights } from './http/read-rights.js';
import { openHttpFront } from './http/http-front.js';
import { exportTraces } from './traces/trace-exporter.js';
import { openTlsFront } from './tls/tls-front.js';

/** How long calls may continue when the broker stops, before their modules are asked to stop too. */
const DRAIN_MS = 10_000;

export interface StartedBroker {
  readonly ready: Ready;
  readonly witness: Witness;
  readonly producer: Producer;
}

const raise = (reason: Fault): never => {
  throw new FaultError(reason);
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
  const front = await runOrThrow(
    openTlsFront({ listen, serverPort, say: (text) => log.line('tls', text, { level: 'warn' }) }),
  );
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
    log.line('access', `the log does not say yet who may do what: ${toFault(error).message}`, {
      level: 'warn',
    });
  }
};

/** Leaves word in the data directory of where the broker is, for the command line. */
const publishAddress = (dataDir: string, { url, operatorSeed }: ServerSide, lifetime: Lifetime): void => {
  const path = join(dataDir, ADDRESS_FILE);
  const address: BrokerAddress = { pid: process.pid, nats: url, operatorSeed };
  writeFileSync(path, `${JSON.stringify(address)}\n`, { mode: 0o600 });
  lifetime.onStop(() => rmSync(path, { force: true }));
};

/** Where HTTP is served; null: nowhere. */
type HttpAddresses = Pick<Ready, 'http' | 'httpListen'>;

/** Serves HTTP, unless the configuration says no. */
const openHttp = async (
  config: StartConfig,
  { httpEntry, log }: BrokerEnvironment,
  { dataDir, principals, marks, sealing }: DataDirectory,
  { url, embedded, access, link: { nc } }: ServerSide,
  { modules }: Parts,
  reaper: Reaper,
  lifetime: Lifetime,
): Promise<HttpAddresses> => {
  const { http, httpPort, httpListen, guest } = config;
  if (!http || httpEntry === undefined) return { http: null, httpListen: null };
  const say = (text: string): void => log.line('http', text, { level: 'warn' });
  const rights = readRights({
    guest,
    operatorKey: access.operatorKey,
    principals,
    limitsFor: withoutTokenBy(config),
    directory: modules,
    marks: (module) => marks.of(module).state,
    sealing,
    dataDir,
    maxBytes: () => answerBytes(nc),
  });
  const front = await runOrThrow(
    openHttpFront({
      entry: httpEntry,
      port: httpPort,
      listen: httpListen,
      natsUrl: url,
      reaper,
      // Of a server that another program runs, the broker does not know who may do what.
      rights: (publicKey, module) => (embedded ? rights(publicKey, module) : undefined),
      say,
    }),
  );
  for (const part of [principals, marks]) part.onChange(() => front.forget());
  modules.onNames(() => front.forget());
  lifetime.onStop(() => front.close());
  return { http: front.url, httpListen: front.secureUrl };
};

const readyOf = (
  { durability, guest }: StartConfig,
  dataDir: string,
  { url, embedded, link }: ServerSide,
  { modules }: Parts,
  addresses: HttpAddresses & Pick<Ready, 'listen'>,
): Ready => ({
  ready: true,
  pid: process.pid,
  nats: url,
  dataDir,
  durability,
  server: { version: link.serverVersion, embedded },
  guest,
  ...addresses,
  modules: [...modules.all()].map(({ name, manifest: { version }, pid }) => ({ name, version, pid })),
});

/**
 * One start of a broker: data directory, server, log, parts, modules. What begins here ends with `lifetime`, also
 * where a later step throws the fault that stops the start. `onDown` is told when the embedded server dies.
 */
export const startInOrder = async (
  config: StartConfig,
  environment: BrokerEnvironment,
  lifetime: Lifetime,
  onDown: () => void,
): Promise<StartedBroker> => {
  const { hostEntry, tracesEntry, keepsSpareHost = false, onProgress, knownLoss } = environment;
  const { maxBytes, durability, onLogLoss } = config;
  const directory = await openDataDirectory(config, environment, lifetime);
  // From here on the data directory is ours: its files keep the lines.
  const log = new BrokerLines(environment.log, directory.dataDir);
  lifetime.onStop(() => log.close());
  const { dataDir, memory, marks, sealing, configs, principals, plan, inspectPorts } = directory;
  const reaper = startReaper();
  lifetime.onStop(() => reaper.close());

  const audit = new Audit((text) => log.line('audit', text, { level: 'warn' }));
  const violations = new ServerViolations();
  const found = findCage(config.cage);
  if (config.cage === 'required') orThrow(await found);

  const server = await runOrThrow(
    openServerSide({
      config,
      dataDir,
      manifests: plan.filter(({ rest }) => rest === undefined).map(({ source }) => source.manifest),
      principals: principals.current(),
      reaper,
      log,
      onProgress,
      onServerLine: (line) => {
        audit.serverSaid(line);
        const violating = violatingConnection(line);
        if (violating !== undefined) violations.refused(violating.account, violating.cid);
      },
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
    watchDurableServer(server.link, durability, server.url, (problem) => lifetime.fail(problem)),
  );
  const { nc, jsm } = server.link;
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
    sealing,
    configs,
    principals,
    limitsFor: withoutTokenBy(config),
    audit,
    violations,
    reaper,
    log,
    lifetime,
  });
  const { supervisor, index, gateway } = parts;
  orThrow(supervisor.plan(plan));
  for (const { source, rest } of plan) if (rest !== undefined) log.line('supervisor', restText(source, rest));
  parts.reader.start();
  await index.start();
  const loss = await open.witness.checked();
  if (loss !== undefined) throw new FaultError(lossFault(loss, onLogLoss));

  await parts.room.start();
  await recordGrants(server, parts, open, log);
  const listen = await listening(config, server, lifetime, log);
  const httpAddresses = await openHttp(
    config,
    { ...environment, log },
    directory,
    server,
    parts,
    reaper,
    lifetime,
  );
  const addresses = { listen, ...httpAddresses };
  const traces = exportTraces({
    entry: tracesEntry,
    assignment: { natsUrl: server.url, seedPath: server.operatorSeed, dataDir },
    position: open.lastSeq,
    reaper,
    say: (text) => log.line('traces', text),
    onStop: (step) => lifetime.onStop(step),
  });
  const serving = await serveBroker({
    config,
    directory,
    server,
    open,
    parts,
    audit,
    cage: cageStatus,
    addresses,
    traces,
    lifetime,
    log,
  });
  lifetime.onReplaced(() => {
    gateway.retire();
    supervisor.abandonAll();
    for (const subscription of serving) subscription.unsubscribe();
  });
  traces.start();
  parts.firings.start();
  parts.wakes.start();
  parts.hearings.start();
  lifetime.onStop(() => gateway.close());
  lifetime.onStop(() => supervisor.unloadAll());
  lifetime.onStop(() => gateway.drain(DRAIN_MS));
  lifetime.onStop(() => audit.act(stopAct()));
  await audit.act(startAct({ ...config, dataDir }));
  publishAddress(dataDir, server, lifetime);
  await Promise.race([supervisor.loadAll(), lifetime.failed.then(raise)]);
  return {
    ready: readyOf(config, dataDir, server, parts, addresses),
    witness: open.witness,
    producer: open.producer,
  };
};
