import { join } from 'node:path';
import type { Fault } from '../schemas/errors.js';
import { judgeRequest } from './access/admission.js';
import type { Principals } from './access/principals.js';
import type { Audit } from './audit/audit.js';
import { Canceller } from './cancel/canceller.js';
import { LetterBox } from './dead/letter-box.js';
import { Restarter } from './restart/restarter.js';
import { tellCancels } from './cancel/tell-cancels.js';
import { tellAgain } from './operate/tell-again.js';
import { wakeCancelled } from './cancel/wake-cancelled.js';
import { DeadLetters } from './dead/dead-letters.js';
import { Stacks } from './dead/stacks.js';
import { Door } from './gateway/door.js';
import { KeyedCommands } from './gateway/keyed-commands.js';
import { unknownNames } from './gateway/unknown-names.js';
import { Gateway } from './gateway/gateway.js';
import { OutsideProducers } from './gateway/outside-producers.js';
import { UnownedCommands } from './gateway/unowned.js';
import { Hearings } from './hearing/hearings.js';
import { LogIndex } from './index/log-index.js';
import { LiveFeed } from './live/live-feed.js';
import { LiveInterest } from './live/live-interest.js';
import { BrokerReader } from './reader/broker-reader.js';
import { logTakesWithin } from './log/queue-probe.js';
import { LogSpace } from './streams/log-space.js';
import type { OpenLog } from './log/open-log.js';
import type { Lifetime } from '../system/lifetime.js';
import { SCHEDULER } from '../schemas/firing.js';
import { LOG } from '../schemas/log.js';
import { isPeople } from '../schemas/names.js';
import { Firings } from './schedules/firings.js';
import { WakeNews } from './waits/wake-news.js';
import { Wakes } from './waits/wakes.js';
import { Subscriptions } from './subscriptions/subscriptions.js';
import { Plan } from './schedules/plan.js';
import { Schedules } from './schedules/schedules.js';
import type { ServerSide } from './server/server-side.js';
import type { ModuleMemory } from './supervisor/module-memory.js';
import type { ServerViolations } from './serving/server-violations.js';
import { watchChurn } from './watch-churn.js';
import { ClosedConnections } from './serving/closed-connections.js';
import type { Entrance } from './serving/entrance.js';
import type { LimitsInForce } from './serving/limits-in-force.js';
import { PrincipalUsages } from './serving/principal-usage.js';
import { RefusedCodes } from './serving/refused-codes.js';
import { RefusedFloods } from './serving/refused-floods.js';
import { Turnstile } from './serving/turnstile.js';
import { LogShares } from './supervisor/log-shares.js';
import { watchResources } from './supervisor/module-resources.js';
import { ModuleFloods } from './supervisor/module-floods.js';
import { TrafficWatch } from './supervisor/traffic-watch.js';
import { SupervisedModules } from './supervisor/supervised-modules.js';
import { Supervisor } from './supervisor/supervisor.js';
import { dropSnapshotsAhead } from './supervisor/drop-snapshots-ahead.js';
import { openDeliverer, openScheduler, openWakes } from './broker-producers.js';
import { type SurroundingsOptions, surroundings } from './build-surroundings.js';

/** The parts of a broker that work on an open log. None of them has begun. */
export interface Parts {
  readonly modules: SupervisedModules;
  readonly supervisor: Supervisor;
  readonly reader: BrokerReader;
  readonly index: LogIndex;
  readonly gateway: Gateway;
  readonly canceller: Canceller;
  readonly restarter: Restarter;
  readonly outside: OutsideProducers;
  readonly schedules: Schedules;
  readonly firings: Firings;
  readonly hearings: Hearings;
  readonly wakes: Wakes;
  readonly subscriptions: Subscriptions;
  readonly stacks: Stacks;
  readonly floods: ModuleFloods;
  readonly room: LogSpace;
  readonly entrance: Entrance;
  readonly dead: DeadLetters;
  readonly plan: Plan;
  readonly refusedCodes: RefusedCodes;
  readonly principals: Principals;
  /** Why nothing new is taken into the log, while that is so: disk or log are full. */
  readonly refusal: () => Fault | undefined;
}

export interface AssembleOptions extends SurroundingsOptions {
  readonly server: ServerSide;
  readonly open: OpenLog;
  readonly memory: ModuleMemory;
  readonly principals: Principals;
  /** The limits of accounts without a token. */
  readonly limitsFor: (account: string) => LimitsInForce;
  readonly audit: Pick<Audit, 'refusedRequest' | 'wasCut'>;
  /** What the server refuses, by connection. */
  readonly violations: ServerViolations;
  readonly lifetime: Lifetime;
}

/** What the watch of traffic compares. */
type TrafficParts = Pick<Parts, 'modules' | 'index' | 'floods'> & Pick<Entrance, 'usages'>;

/** So long the index may take to read what the log has. */
const READ_WITHIN_MS = 500;
/** Others wait for so long at most behind what a module has sent that was cut off. */
const QUEUE_WITHIN_MS = 2_000;

/**
 * Makes the parts in the order in which they need each other, so a part gets only parts that are there. News goes the
 * other way: index and reader announce it, and the parts that were made later listen.
 */
export const assemble = (options: AssembleOptions): Parts => {
  const { open, dataDir, log, lifetime } = options;
  const { nc, jsm, producer, logId, lastSeq } = open;
  const onLost = (problem: Fault): void => open.failure.fail(problem);
  const reader = new BrokerReader({
    nc,
    lastSeq,
    say: (text) => log.line('log', text, { level: 'warn' }),
    onLost,
  });
  lifetime.onStop(() => reader.close());
  const index = new LogIndex({
    nc,
    reader,
    dir: join(dataDir, 'index'),
    logId,
    lastSeq,
    say: (text) => log.line('index', text, { level: 'warn' }),
    onLost,
  });
  const live = new LiveFeed({
    nc,
    reader,
    interest: new LiveInterest((isListed) => options.server.link.subscriptions(isListed)),
    after: open.under,
    say: (text) => log.line('live', text, { level: 'warn' }),
  });
  options.server.access.whenShutOut(() => live.hold());
  lifetime.onStop(() => live.close());
  lifetime.onReplaced(() => live.close());
  index.on('record', (seq) => open.whole.met(seq));
  index.on('record', () => open.witness.moved());
  const dropAhead = dropSnapshotsAhead(open, (text) => log.line('log', text, { level: 'warn' }));
  const modules = new SupervisedModules();
  const unowned = new UnownedCommands({
    producer,
    index,
    directory: modules,
    log: (text) => log.line('gateway', text, { level: 'warn' }),
  });
  const floods = new ModuleFloods(modules);
  index.on('unsigned', (...record) => floods.unsigned(...record));
  const stacks = new Stacks();
  const dead = new DeadLetters({
    nc,
    jsm,
    index,
    // Where the process ended, what it printed last is all that there is.
    stackOf: (module, command, code) =>
      stacks.of(module, command) ??
      (code === 'HANDLER_CRASHED' ? modules.find(module)?.lastWords : undefined),
    log: (text) => log.line('dead', text, { level: 'warn' }),
  });
  lifetime.onStop(() => index.close());
  lifetime.onStop(() => unowned.close());
  lifetime.onStop(() => dead.close());
  open.witness.watch({
    position: () => index.position,
    onLoss: open.failure.onLoss,
  });
  const room = new LogSpace({
    jsm,
    taken: () => producer.taken,
    openCommands: () => index.commands.size,
    say: (text) => log.line('log', text, { level: 'warn' }),
  });
  lifetime.onStop(() => room.close());
  const refusal = (): Fault | undefined => options.server.refusal() ?? room.refusal;
  const { principals, limitsFor: withoutToken } = options;
  const limitsFor = (account: string): LimitsInForce =>
    principals.find(account)?.limits ?? withoutToken(account);
  const usages = new PrincipalUsages(limitsFor, {
    position: () => index.position,
    open: (account) => index.accounts.open(account),
    bytes: (account) => index.accounts.bytes(account),
    maxBytes: () => room.maxBytes,
  });
  // A firing is stored by the scheduler, and a command of an outcome by its module: neither waits in the usages.
  index.on('command', ({ seq, sender, calledBy }, isFiring) => {
    if (!isFiring && (isPeople(sender) || calledBy !== null)) usages.read(sender, seq);
  });
  const shares = new LogShares({
    modules: () => [...modules.all()].filter(({ isActive }) => isActive).map(({ name }) => name),
    bytes: (module) => index.accounts.bytes(module),
    share: (module) => limitsFor(module).log,
    maxBytes: () => room.maxBytes,
    cut: (module, what) => floods.took(module, what),
  });
  const traffic = watchTraffic(options, { modules, index, usages, floods }, () => shares.look());
  lifetime.onStop(() => traffic.close());
  const resources = watchResources(options.dataDir, modules, (module, what) => floods.took(module, what));
  lifetime.onStop(() => resources.close());
  let isTaken: Promise<boolean> = Promise.resolve(true);
  floods.tell({
    begins: (module, why) => {
      isTaken = logTakesWithin(nc, QUEUE_WITHIN_MS);
      traffic.forget(module);
      options.audit.wasCut({ principal: module, target: 'its process and its credential', detail: why });
    },
    isOver: (module) => void emptyQueue(options, module, isTaken),
  });
  const outside = new OutsideProducers({
    nc,
    durability: open.durability,
    maxOpen: (account) => limitsFor(account).producers,
  });
  lifetime.onStop(() => outside.close());
  const { link } = options.server;
  const turnstile = new Turnstile();
  const closed = new ClosedConnections((text) => log.line('serving', text, { level: 'warn' }));
  const wasCut = (connection: string, why: string): void => {
    const principal = connection.slice(0, connection.indexOf('/'));
    options.audit.wasCut({ principal, target: 'its connection', detail: why });
  };
  modules.onNames((names) => link.people.knows(names));
  link.people.onCut(wasCut);
  const churn = watchChurn({ ...options, link, modules, floods });
  lifetime.onStop(() => churn[Symbol.dispose]());
  const refusedFloods = new RefusedFloods({
    cut: (connection, why) => {
      link.people.cut(connection);
      wasCut(connection, why);
    },
  });
  link.onClosed((connection) => {
    closed.add(connection);
    turnstile.close(connection);
  });
  const refusedCodes = new RefusedCodes();
  const entrance: Entrance = {
    asked: () => traffic.stirred(),
    people: link.people,
    turnstile,
    closed,
    usages,
    unknown: (subject) => unknownNames(subject, modules),
    judge: ({ subject, data }) =>
      judgeRequest(subject, data, (account) => principals.judged(account), Date.now()),
    refused: (msg, problem) => {
      refusedCodes.count(problem.code);
      floods.refused(msg.subject, problem);
      options.audit.refusedRequest(msg.subject, problem);
      refusedFloods.refused(msg, problem);
    },
  };
  const keyed = new KeyedCommands({ nc, producer, index, usages });
  const { sealing } = options;
  const serving = { nc, producer, keyed, directory: modules, sealing, refusal, entrance };
  const door = new Door({ ...serving, outside, log: (text) => log.line('gateway', text, { level: 'warn' }) });
  const gateway = new Gateway({
    ...serving,
    reader,
    index,
    door,
    seesAll: (account) => principals.readsLog(account),
  });
  const canceller = new Canceller(producer, index);
  tellCancels(nc, index, modules);
  tellAgain(nc, modules);
  const letters = new LetterBox(jsm, index.redrives);
  const restarter = new Restarter({
    ...{ nc, producer, index },
    redrivenBy: (command) => letters.redrivenBy(command),
    log: (text) => log.line('gateway', text, { level: 'warn' }),
  });
  const { handlerCalls } = gateway;
  const hearings = new Hearings({
    nc,
    jsm,
    reader,
    open: (listener) =>
      openDeliverer(listener)(open, (text) => log.line('events', `${listener}: ${text}`, { level: 'warn' })),
    waiting: (listener) => index.commands.countOf(listener),
    refusal,
    say: (text) => log.line('events', text, { level: 'warn' }),
  });
  lifetime.onStop(() => hearings.close());
  lifetime.onReplaced(() => hearings.close());
  const subscriptions = new Subscriptions({ nc, jsm, reader, logId });
  lifetime.onStop(() => subscriptions.close());
  lifetime.onReplaced(() => subscriptions.close());
  const wakes = new Wakes({
    nc,
    jsm,
    index,
    open: () => openWakes(open, (text) => log.line('waits', text, { level: 'warn' })),
    refusal,
    log: (text) => log.line('waits', text, { level: 'warn' }),
  });
  wakeCancelled(nc, index, wakes);
  lifetime.onStop(() => wakes.close());
  const wakeNews = new WakeNews(index);
  const around = surroundings(options, { index, unowned, handlerCalls, hearings, wakeNews }, dropAhead);
  const supervisor = new Supervisor(modules, around, options.memory);
  const scheduling = { nc, jsm, log: (text: string) => log.line(SCHEDULER, text, { level: 'warn' }) };
  const plan = new Plan({
    ...scheduling,
    lastFiring: (schedule) => index.lastFiring(schedule),
    isErased: (module, agent) => sealing.isErased(module, agent),
  });
  const firings = new Firings({
    ...scheduling,
    plan,
    index,
    open: () => openScheduler(open, (text) => log.line(SCHEDULER, text, { level: 'warn' })),
    refusal,
    // Each firing is in the index before the next ones are looked at.
    full: ({ sender, address: { module }, bytes }, storing) =>
      usages.of(sender).full(bytes, storing) ?? usages.of(module).fullLog(bytes),
  });
  lifetime.onStop(() => firings.close());
  const schedules = new Schedules({
    nc,
    jsm,
    plan,
    lastFiring: (schedule) => index.lastFiring(schedule),
    maxOfAccount: (account) => limitsFor(account).schedules,
    onAdded: () => firings.wake(),
    settled: () => firings.settled(),
  });
  return {
    modules,
    supervisor,
    reader,
    index,
    gateway,
    canceller,
    restarter,
    outside,
    schedules,
    firings,
    hearings,
    wakes,
    subscriptions,
    stacks,
    floods,
    room,
    entrance,
    dead,
    plan,
    refusedCodes,
    principals,
    refusal,
  };
};

/**
 * What a module sent before it was cut off stands before the records of all others: with a sync for each, minutes. A
 * server that is started again has forgotten it. What others sent and had no acknowledgement for, they send again.
 */
const emptyQueue = async (
  { server, log }: AssembleOptions,
  module: string,
  isTaken: Promise<boolean>,
): Promise<void> => {
  if ((await isTaken) || server.link.linkedSince() === undefined || server.restart === undefined) return;
  const text = `what ${module} sent would keep the log busy for more than ${QUEUE_WITHIN_MS / 1_000} s`;
  log.line('server', `${text}; nats-server is started again, so that it forgets what is not stored`, {
    level: 'warn',
  });
  server.restart();
};

/** Compares what modules send with what the log and the broker have of it, while the log grows. */
const watchTraffic = (
  { server: { link }, open: { jsm } }: AssembleOptions,
  { modules, index, usages, floods }: TrafficParts,
  looks: () => void,
): TrafficWatch => {
  const watch = new TrafficWatch({
    modules: () => [...modules.all()].filter(({ isActive }) => isActive).map(({ name }) => name),
    received: (accounts) => link.received(accounts),
    seen: (module) => {
      const asked = usages.known(module);
      return {
        msgs: index.accounts.recordsRead(module) + (asked?.requests ?? 0),
        bytes: index.accounts.bytes(module) + (asked?.bytesAsked ?? 0),
      };
    },
    unread: async () => {
      const { state } = await jsm.streams.info(LOG);
      await index.reachedWithin(state.last_seq, READ_WITHIN_MS);
      return Math.max(0, state.last_seq - index.position);
    },
    cut: (module, what) => floods.unseen(module, what),
    looks,
  });
  index.on('record', () => watch.stirred());
  return watch;
};
