import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import type { BrokerCounters } from '../../schemas/broker-counters.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import {
  type Addresses,
  type BrokerStatus,
  type ModuleInfo,
  type ModuleStats,
  type ModuleStatus,
  OPS,
} from '../../schemas/operate.js';
import type { ListedSubscription } from '../../schemas/subscription.js';
import type { Audit } from '../audit/audit.js';
import type { ModuleConfigs } from '../config/module-configs.js';
import { reserveOf } from '../streams/log-space.js';
import { keptLosses } from '../log/loss-copies.js';
import type { Hearings } from '../hearing/hearings.js';
import type { LogIndex } from '../index/log-index.js';
import type { SupervisedModule } from '../supervisor/supervised-module.js';
import type { SupervisedModules } from '../supervisor/supervised-modules.js';
import type { Supervisor } from '../supervisor/supervisor.js';
import { fitting } from '../serving/answer.js';
import type { Body, Handler } from '../serving/serve-requests.js';
import { answerWithin } from './answer-within.js';
import { StreamFigures } from './stream-figures.js';
import { ModuleStatuses } from './module-statuses.js';
import { accountUsages, type UsageSources } from './most-active-accounts.js';

export interface OperationsContext {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly modules: SupervisedModules;
  readonly supervisor: Supervisor;
  readonly index: LogIndex;
  readonly hearings: Pick<Hearings, 'eventsWaiting'>;
  /** Subscriptions of programs, so many at most; for a scrape, as they were read lately. */
  readonly subscriptions: (limit: number, isScrape: boolean) => Promise<readonly ListedSubscription[]>;
  readonly server: Omit<BrokerStatus['server'], 'pid'>;
  /** Of the embedded server; null while none runs. */
  readonly serverPid: () => number | null;
  /** Why the log takes nothing new, while that is so. */
  readonly refusal: () => Fault | undefined;
  /** Requests of people that wait their turn, by account. */
  readonly waiting: () => ReadonlyMap<string, number>;
  readonly usage: UsageSources;
  /** Calls of closed connections that were not stored, by account. */
  readonly dropped: () => ReadonlyMap<string, number>;
  readonly cage: BrokerStatus['cage'];
  readonly guest: NonNullable<BrokerStatus['guest']>;
  readonly configs: Pick<ModuleConfigs, 'forProcess'>;
  readonly audit: Pick<Audit, 'status'>;
  readonly addresses: Addresses;
  /** The collector that gets the spans; null: none. */
  readonly traces: string | null;
  readonly certificateEnds: () => string | null;
  readonly durability: string;
  readonly dataDir: string;
  /** The end of the log, as far as the broker has read it. */
  readonly logEnd: () => number;
  /** What only `/metrics` shows. */
  readonly counters: (lastSeq: Promise<number>) => Promise<BrokerCounters>;
}

/** Each costs the server a look at its events. */
const SHOWN_SUBSCRIPTIONS = 50;
/** Losses in a status that would be too large with all of them. */
const SHOWN_LOSSES = 100;

const text = (body: Body, key: string): TE.TaskEither<Fault, string> => {
  const value = body[key];
  return typeof value === 'string' && value !== ''
    ? TE.right(value)
    : TE.left(fault('PAYLOAD_INVALID', `the request needs ${key}, a string`, `/${key}`));
};

/** What an operator asks of a running broker, by subject. */
export const operations = (context: OperationsContext): ReadonlyMap<string, Handler> => {
  const { jsm, modules, supervisor } = context;
  const figures = new StreamFigures(jsm, context.logEnd);

  const statuses = new ModuleStatuses(context);

  const known = (body: Body): TE.TaskEither<Fault, SupervisedModule> =>
    pipe(
      text(body, 'name'),
      TE.chain((name) => {
        const module = modules.find(name);
        return module === undefined
          ? TE.left(
              fault('MODULE_UNKNOWN', `there is no module ${name}; \`tallystick module list\` lists them`),
            )
          : TE.right(module);
      }),
    );
  const task = <A>(work: () => Promise<A>): TE.TaskEither<Fault, A> =>
    TE.tryCatch(work, (error) => toFault(error));
  const answer = TE.chain((module: SupervisedModule) => task(() => statuses.of(module)));

  const stats = ({ name, beat, manifest, stats: counters }: SupervisedModule): ModuleStats => ({
    name,
    handled: beat?.handled ?? 0,
    pending: beat?.pending ?? 0,
    agents: beat?.agents ?? 0,
    ...(beat?.unsaved === undefined ? {} : { unsaved: beat.unsaved }),
    ...(beat?.times === undefined ? {} : { times: beat.times }),
    actions: Object.keys(manifest.actions).map((action) => counters.action(action)),
  });

  const told = (
    { state, config }: Pick<StreamInfo, 'state' | 'config'>,
    modules: readonly ModuleStatus[],
    subscriptions: readonly ListedSubscription[],
  ): BrokerStatus => ({
    server: { ...context.server, pid: context.serverPid() },
    durability: context.durability,
    cage: context.cage,
    guest: context.guest,
    ...context.addresses,
    traces: context.traces,
    certificateEnds: context.certificateEnds(),
    dataDir: context.dataDir,
    pid: process.pid,
    log: {
      records: state.messages,
      bytes: state.bytes,
      maxBytes: config.max_bytes,
      reserveBytes: config.max_bytes < 1 ? 0 : reserveOf(config.max_bytes),
      refusal: context.refusal()?.message ?? null,
      firstSeq: state.first_seq,
      lastSeq: state.last_seq,
    },
    requestsWaiting: Object.fromEntries(context.waiting()),
    ...accountUsages(context.usage),
    callsDropped: Object.fromEntries(context.dropped()),
    modules,
    agents: context.index.agents,
    conversationsOpen: context.index.conversations.size,
    subscriptions,
    losses: keptLosses(context.dataDir),
  });

  const status = async (): Promise<BrokerStatus> => {
    const [log, all, subscriptions, audit] = await Promise.all([
      figures.read(),
      statuses.all(),
      context.subscriptions(SHOWN_SUBSCRIPTIONS, false),
      context.audit.status(jsm),
    ]);
    return { ...told(log, all, subscriptions), audit };
  };

  /** With what only `/metrics` shows, and without what it does not: a scrape comes again each second. */
  const scraped = async (): Promise<BrokerStatus> => {
    const log = figures.known();
    const [info, all, subscriptions, counters] = await Promise.all([
      log,
      statuses.scraped(),
      context.subscriptions(SHOWN_SUBSCRIPTIONS, true),
      context.counters(log.then(({ state }) => state.last_seq)),
    ]);
    return { ...told(info, all, subscriptions), counters, stats: [...modules.all()].map(stats) };
  };

  return new Map<string, Handler>([
    [
      OPS.status,
      ({ counters }) =>
        task(async () => {
          const whole = await (counters === true ? scraped() : status());
          // What is missing of a damaged log may be in a thousand places; the reports in the data directory name all.
          const losses = whole.losses.slice(-SHOWN_LOSSES).map(({ gaps: _, ...loss }) => loss);
          const { stats: _, ...rest } = whole;
          return fitting(context.nc, whole, () =>
            fitting(context.nc, { ...whole, losses }, () => ({ ...rest, losses })),
          );
        }),
    ],
    [OPS.moduleList, () => task(async () => ({ modules: await statuses.all() }))],
    [
      OPS.moduleInfo,
      (body) =>
        pipe(
          known(body),
          TE.chain((module) =>
            task(async (): Promise<ModuleInfo> => {
              const { manifest, source, lastOutput } = module;
              return { ...(await statuses.of(module)), manifest, dir: source.dir, output: lastOutput };
            }),
          ),
        ),
    ],
    [
      OPS.moduleLoad,
      (body, late) =>
        pipe(
          text(body, 'dir'),
          TE.chain((dir) => supervisor.load(dir, { grant: body.grant === true })),
          answer,
          answerWithin(body, 'the load', late),
        ),
    ],
    [
      OPS.moduleUnload,
      (body, late) =>
        pipe(
          text(body, 'name'),
          TE.chain((name) => supervisor.unload(name, body.withDependents === true)),
          answer,
          answerWithin(body, 'the unload', late),
        ),
    ],
    [
      OPS.moduleReload,
      (body, late) =>
        pipe(
          text(body, 'name'),
          TE.chain((name) =>
            supervisor.reload(name, {
              untried: body.untried === true,
              grant: body.grant === true,
              ...(typeof body.dir === 'string' ? { dir: body.dir } : {}),
            }),
          ),
          answer,
          answerWithin(body, 'the reload', late),
        ),
    ],
    [
      OPS.moduleRemove,
      (body, late) =>
        pipe(
          text(body, 'name'),
          TE.chain((name) =>
            supervisor.remove(name, { unload: body.unload === true, dryRun: body.dryRun === true }),
          ),
          TE.map((removal): object => removal),
          answerWithin(body, 'the removal', late),
        ),
    ],
    [
      OPS.moduleStats,
      (body) =>
        body.name === undefined
          ? TE.right({ modules: [...modules.all()].map(stats) })
          : pipe(
              known(body),
              TE.map((module): object => ({ modules: [stats(module)] })),
            ),
    ],
  ]);
};
