import type { BrokerLines } from './lines/broker-lines.js';
import * as E from 'fp-ts/lib/Either.js';
import type { ListedSubscription } from '../schemas/subscription.js';
import type { StartConfig } from '../schemas/config.js';
import type { Addresses, BrokerStatus } from '../schemas/operate.js';
import type { Lifetime } from '../system/lifetime.js';
import type { Parts } from './assemble.js';
import { judgeOperator, mayNotSend } from './access/admission.js';
import type { Audit } from './audit/audit.js';
import type { DataDirectory } from './data-directory.js';
import type { OpenLog } from './log/open-log.js';
import { type CountSources, countBroker } from './operate/count-broker.js';
import { ConfigOperations } from './operate/config-operations.js';
import { deadOperations } from './operate/dead-operations.js';
import { lately } from './operate/lately.js';
import { type OperationsContext, operations } from './operate/operations.js';
import { serveConsumers } from './operate/operator-consumers.js';
import { sealOperations } from './operate/seal-operations.js';
import { serveAccess } from './operate/serve-access.js';
import { serveControl } from './operate/serve-control.js';
import { burstOperations } from './operate/burst-operations.js';
import { lineOperations } from './operate/line-operations.js';
import { auditOperations, serveOperators } from './operate/serve-operations.js';
import { serveCancels } from './cancel/serve-cancels.js';
import { serveRestarts } from './restart/serve-restarts.js';
import { type ProducersContext, serveProducers } from './operate/serve-producers.js';
import { scheduleOperations, serveScheduling } from './schedules/serve-schedules.js';
import type { ServerSide } from './server/server-side.js';
import { answerBytes } from './serving/answer.js';
import type { Listening } from './serving/serve.js';
import { SERVED } from './serving/served.js';
import { servePromises } from './waits/serve-promises.js';
import { serveSignals } from './waits/serve-signals.js';
import { serveSubscriptions } from './subscriptions/serve-subscriptions.js';
import { serveStates } from './states/serve-states.js';
import { certificateEnd } from '../system/tls/tls-files.js';
import type { ExportedTraces } from './traces/trace-exporter.js';
import { StateThread } from './states/state-thread.js';

export interface ServedBroker {
  readonly config: StartConfig;
  readonly directory: DataDirectory;
  readonly server: ServerSide;
  readonly open: OpenLog;
  readonly parts: Parts;
  readonly audit: Audit;
  readonly cage: BrokerStatus['cage'];
  /** Where the broker is asked, besides the server. */
  readonly addresses: Addresses;
  readonly traces: ExportedTraces;
  readonly lifetime: Lifetime;
  readonly log: BrokerLines;
}

/** Who scrapes each second has figures of the server that are a second old; who scrapes seldom has those of now. */
const OLD_TRAFFIC_MS = 1_500;

const countsOf =
  (sources: Omit<CountSources, 'lastSeq'>): OperationsContext['counters'] =>
  (lastSeq) =>
    countBroker({ ...sources, lastSeq });

const operationsContext = ({
  config,
  config: { durability, guest },
  directory: { dataDir, configs },
  server: { url, embedded, link, pid },
  open: { producer },
  parts: {
    modules,
    supervisor,
    index,
    hearings,
    subscriptions,
    refusal,
    entrance,
    schedules,
    outside,
    dead,
    plan,
    refusedCodes,
    reader,
  },
  audit,
  cage,
  addresses,
  traces,
}: ServedBroker): OperationsContext => ({
  nc: link.nc,
  jsm: link.jsm,
  refusal,
  waiting: () => entrance.turnstile.waiting(),
  usage: {
    usages: entrance.usages,
    logged: index.accounts,
    schedules: () => schedules.ofAccounts(),
    producers: () => outside.ofAccounts(),
  },
  dropped: () => entrance.closed.callsDropped,
  modules,
  supervisor,
  index,
  hearings,
  subscriptions: async (limit, isScrape) =>
    E.getOrElse((): readonly ListedSubscription[] => [])(
      await (isScrape ? subscriptions.scraped(limit) : subscriptions.list(undefined, limit))(),
    ),
  server: { version: link.serverVersion, embedded, url },
  serverPid: pid,
  cage,
  configs,
  audit,
  addresses,
  traces: traces.url,
  durability,
  guest,
  dataDir,
  logEnd: () => reader.position,
  counters: countsOf({
    refused: refusedCodes,
    dead,
    producer,
    index,
    plan,
    traffic: lately(() => link.reports.traffic(), OLD_TRAFFIC_MS),
    traces,
  }),
  certificateEnds: () => {
    const { cert } = config.listen ?? config.httpListen ?? {};
    return cert === undefined ? null : (certificateEnd(cert) ?? null);
  },
});

const producersContext = ({
  config: { trusted },
  open: { nc, under, durability },
  parts: { modules, outside, refusal, entrance },
}: ServedBroker): ProducersContext => ({
  nc,
  under,
  durability,
  directory: modules,
  outside,
  refusal,
  entrance,
  trusted: new Set(trusted.map(({ module }) => module)),
});

/** What operators ask for: `tallystick status`, `module load` and the like. */
const operators = (broker: ServedBroker): Listening => {
  const { server, open, parts, audit, directory } = broker;
  const { nc, jsm } = server.link;
  const { index, refusal, schedules } = parts;
  const handlers = new Map([
    ...operations(operationsContext(broker)),
    ...scheduleOperations(schedules),
    ...deadOperations({ nc, jsm, producer: open.producer, index, refusal }),
    ...auditOperations(jsm, () => ({ marks: directory.marks.all, erased: directory.sealing.erased })),
    ...sealOperations(directory.sealing, parts.supervisor),
    ...lineOperations(broker.log.kept, (name) => parts.modules.find(name) !== undefined),
    ...burstOperations(),
  ]);
  const { modules, supervisor } = parts;
  const configuring = new ConfigOperations({ configs: directory.configs, modules, supervisor });
  return serveOperators({
    nc,
    served: SERVED.operations,
    audit,
    judge: (account) => judgeOperator(account, directory.principals),
    find: (subject, by) => handlers.get(subject) ?? configuring.handler(subject, by),
  });
};

const states = ({ directory: { dataDir, marks }, server, parts, lifetime, log }: ServedBroker): Listening => {
  const { nc } = server.link;
  const say = (text: string): void => log.line('states', text, { level: 'warn' });
  const thread = new StateThread({ dataDir, maxBytes: answerBytes(nc), say });
  lifetime.onStop(() => thread.close());
  return serveStates({
    nc,
    directory: parts.modules,
    entrance: parts.entrance,
    states: thread,
    marks: (module) => marks.of(module).state,
  });
};

/** Begins to answer modules, operators and callers. The server knows of it when this resolves. */
export const serveBroker = async (broker: ServedBroker): Promise<readonly Listening[]> => {
  const { directory, server, open, parts, audit, log } = broker;
  const { nc } = server.link;
  const { modules, gateway, schedules, stacks, floods, refusal, entrance, index, canceller, restarter } =
    parts;
  const serving = [
    serveControl(nc, modules, { stacks, jsm: server.link.jsm }, floods),
    operators(broker),
    ...serveConsumers(nc),
    serveScheduling(nc, schedules, modules, directory.sealing, refusal, entrance),
  ];
  gateway.start();
  serving.push(
    serveAccess(
      {
        nc,
        principals: directory.principals,
        producer: open.producer,
        ownKeys: () => server.access.ownKeys,
        log: (text) => log.line('access', text, { level: 'warn' }),
      },
      audit,
    ),
    ...serveProducers(producersContext(broker)),
    serveCancels({
      nc,
      index,
      canceller,
      directory: modules,
      keepsAll: (account) => directory.principals.keepsLog(account),
      refusal,
      entrance,
    }),
    serveRestarts({
      ...{ nc, jsm: server.link.jsm, index, restarter, directory: modules, refusal, entrance },
      keepsAll: (account) => directory.principals.keepsLog(account),
      mayNotSend: (account, address) => mayNotSend(account, address, directory.principals),
      act: (act) => audit.act(act),
    }),
    states(broker),
    servePromises({ nc, directory: modules, entrance, index: parts.index, wakes: parts.wakes, refusal }),
    serveSignals({ nc, directory: modules, entrance, wakes: parts.wakes }),
    serveSubscriptions({
      nc,
      directory: modules,
      entrance,
      subscriptions: parts.subscriptions,
      marks: () => directory.marks.all,
      principals: directory.principals,
    }),
  );
  await server.link.people.flush();
  return serving;
};
