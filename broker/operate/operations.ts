import type { JetStreamManager } from '@nats-io/jetstream';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import pidusage from 'pidusage';
import type { BrokerCounters } from '../../schemas/broker-counters.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { commandConsumer, foldConsumer, LOG } from '../../schemas/log.js';
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
import { accountUsages, type UsageSources } from './most-active-accounts.js';
import { answerWithin } from './answer-within.js';

export interface OperationsContext {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly modules: SupervisedModules;
  readonly supervisor: Supervisor;
  readonly index: LogIndex;
  readonly hearings: Pick<Hearings, 'eventsWaiting'>;
  /** Subscriptions of programs, so many at most. */
  readonly subscriptions: (limit: number) => Promise<readonly ListedSubscription[]>;
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

const usage = async (pid: number | null): Promise<{ cpuPercent: number | null; rssBytes: number | null }> => {
  if (pid === null) return { cpuPercent: null, rssBytes: null };
  try {
    const { cpu, memory } = await pidusage(pid);
    return { cpuPercent: Math.round(cpu * 10) / 10, rssBytes: memory };
  } catch {
    // It ended just now.
    return { cpuPercent: null, rssBytes: null };
  }
};

const lag = async (jsm: JetStreamManager, module: string): Promise<number> => {
  try {
    const { num_pending, num_ack_pending } = await jsm.consumers.info(LOG, commandConsumer(module));
    return num_pending + num_ack_pending;
  } catch {
    // A module that was never started has no consumer yet.
    return 0;
  }
};

/**
 * What is wrong with a module. One that runs says also why its next process would not start: a key that it needs can be
 * taken away while it runs, and a restart is a bad moment to learn of that.
 */
const reasonOf = (
  { reason, isActive, manifest }: SupervisedModule,
  configs: OperationsContext['configs'],
): string | null => {
  if (!isActive || manifest.config === undefined) return reason;
  const config = configs.forProcess(manifest);
  if (E.isRight(config)) return reason;
  const { code, message } = config.left;
  return `its next process will not start: ${code}: ${message}`;
};

/** How many events a read model has not been given yet; undefined: it does not run. */
const unfolded = async (jsm: JetStreamManager, module: string): Promise<number | undefined> => {
  try {
    return (await jsm.consumers.info(LOG, foldConsumer(module))).num_pending;
  } catch {
    return undefined;
  }
};

/** What an operator asks of a running broker, by subject. */
export const operations = (context: OperationsContext): ReadonlyMap<string, Handler> => {
  const { jsm, modules, supervisor, index } = context;

  const unheard = async ({ name, manifest }: SupervisedModule): Promise<number | undefined> => {
    if (manifest.folds !== undefined) return unfolded(jsm, name);
    if (manifest.on === undefined) return undefined;
    // The server may be away just now.
    return context.hearings.eventsWaiting(name).catch(() => undefined);
  };

  const asleep = (name: string): Pick<ModuleStatus, 'asleep' | 'nextWake'> => {
    const count = index.waits.countOf(name);
    const next = index.waits.nextOf(name);
    if (count === 0) return {};
    return { asleep: count, ...(next === undefined ? {} : { nextWake: new Date(next).toISOString() }) };
  };

  const status = async (module: SupervisedModule): Promise<ModuleStatus> => {
    const { name, manifest, state, pid, restarts } = module;
    const reason = reasonOf(module, context.configs);
    const [behind, used, eventsWaiting] = await Promise.all([lag(jsm, name), usage(pid), unheard(module)]);
    const events = eventsWaiting === undefined ? {} : { eventsWaiting };
    const waits = { lag: behind, ...events, ...asleep(name) };
    return { name, version: manifest.version, state, pid, restarts, ...waits, ...used, reason };
  };
  const statuses = (): Promise<readonly ModuleStatus[]> => Promise.all([...modules.all()].map(status));

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
  const answer = TE.chain((module: SupervisedModule) => task(() => status(module)));

  const stats = ({ name, beat, manifest, stats: counters }: SupervisedModule): ModuleStats => ({
    name,
    handled: beat?.handled ?? 0,
    pending: beat?.pending ?? 0,
    agents: beat?.agents ?? 0,
    ...(beat?.unsaved === undefined ? {} : { unsaved: beat.unsaved }),
    ...(beat?.times === undefined ? {} : { times: beat.times }),
    actions: Object.keys(manifest.actions).map((action) => counters.action(action)),
  });

  return new Map<string, Handler>([
    [
      OPS.status,
      ({ counters }) =>
        task(async (): Promise<BrokerStatus> => {
          const log = jsm.streams.info(LOG);
          const [{ state, config }, modules, subscriptions, audit, counted] = await Promise.all([
            log,
            statuses(),
            context.subscriptions(SHOWN_SUBSCRIPTIONS),
            context.audit.status(jsm),
            counters === true ? context.counters(log.then((info) => info.state.last_seq)) : undefined,
          ]);
          const whole: BrokerStatus = {
            server: { ...context.server, pid: context.serverPid() },
            durability: context.durability,
            cage: context.cage,
            guest: context.guest,
            audit,
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
            agents: index.agents,
            conversationsOpen: index.conversations.size,
            subscriptions,
            losses: keptLosses(context.dataDir),
            ...(counted === undefined ? {} : { counters: counted }),
          };
          // What is missing of a damaged log may be in a thousand places; the reports in the data directory name all.
          const losses = whole.losses.slice(-SHOWN_LOSSES).map(({ gaps: _, ...loss }) => loss);
          return fitting(context.nc, whole, () => ({ ...whole, losses }));
        }),
    ],
    [OPS.moduleList, () => task(async () => ({ modules: await statuses() }))],
    [
      OPS.moduleInfo,
      (body) =>
        pipe(
          known(body),
          TE.chain((module) =>
            task(async (): Promise<ModuleInfo> => {
              const { manifest, source, lastOutput } = module;
              return { ...(await status(module)), manifest, dir: source.dir, output: lastOutput };
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
