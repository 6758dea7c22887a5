import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../schemas/errors.js';
import type { BrokerLog } from './broker-log.js';
import { DeadLetters } from './dead/dead-letters.js';
import { Stacks } from './dead/stacks.js';
import { Gateway } from './gateway/gateway.js';
import { UnownedCommands } from './gateway/unowned.js';
import { LogIndex } from './index/log-index.js';
import { brokerEpochs } from './journal/epoch-source.js';
import { GROUPING } from './journal/grouping.js';
import { Producer } from './journal/producer.js';
import type { OpenLog } from './log/open-log.js';
import type { Lifetime } from './process/lifetime.js';
import { LineLimit } from './process/line-limit.js';
import type { Reaper } from './process/reaper.js';
import { Firings } from './schedules/firings.js';
import { Schedules } from './schedules/schedules.js';
import type { ServerSide } from './server/server-side.js';
import { endFold, type ModuleEpoch, openModuleEpoch, startModule } from './supervisor/module-start.js';
import type { ModuleSurroundings } from './supervisor/supervised-module.js';
import { Supervisor } from './supervisor/supervisor.js';
import { usableSnapshots } from './supervisor/usable-snapshots.js';

/** The parts of a broker that work on an open log; they know each other and nothing has begun. */
export interface Parts {
  readonly supervisor: Supervisor;
  readonly index: LogIndex;
  readonly gateway: Gateway;
  readonly schedules: Schedules;
  readonly firings: Firings;
  readonly stacks: Stacks;
}

export interface AssembleOptions {
  readonly server: ServerSide;
  readonly open: OpenLog;
  readonly dataDir: string;
  readonly hostEntry: string;
  readonly reaper: Reaper;
  readonly log: BrokerLog;
  readonly lifetime: Lifetime;
}

/** Copies that may not be stored are named one by one up to here. */
const LISTED = 10;

/** Says what became of the copies that a crash left out; nothing is left out in silence. */
const sayRepaired = (
  log: BrokerLog,
  module: string,
  { republished, refused }: Pick<ModuleEpoch, 'republished' | 'refused'>,
): void => {
  if (republished > 0) log.line(module, `${republished} copies that a crash left out are stored`);
  for (const { decision, cause, part, why } of refused.slice(0, LISTED)) {
    log.line(module, `copy ${part} of result ${decision} of command ${cause} is not stored: ${why}`);
  }
  if (refused.length > LISTED) {
    log.line(module, `${refused.length - LISTED} more copies are not stored; replay verify lists them`);
  }
};

/** What a module needs of the broker. `answersStored`: answers that the broker is writing are found in the log. */
const surroundings = (
  { server, open, dataDir, hostEntry, reaper, log }: AssembleOptions,
  answersStored: () => Promise<void>,
  usable: ReturnType<typeof usableSnapshots>,
): ModuleSurroundings => ({
  hostEntry,
  natsUrl: server.url,
  snapshotsDir: (module) => join(dataDir, 'snapshots', module),
  reaper,
  grant: (manifest) => server.access.grant(manifest),
  revoke: (module) => server.access.revoke(module),
  start: (manifest, request) => async () => {
    await answersStored();
    // A server that came back with another log: what a module remembers of the one before must not go into it.
    const loss = await open.witness.checked();
    if (loss !== undefined) return E.left(fault(loss.code, loss.message));
    const started = await startModule(open, manifest, usable(manifest.name, request))();
    if (E.isLeft(started)) return started;
    const { republished, refused, ...reply } = started.right;
    sayRepaired(log, manifest.name, { republished, refused });
    return E.right(reply);
  },
  started: (module) => endFold(open, module),
  repair: (manifest) => async () => {
    const repaired = await openModuleEpoch(open, manifest)();
    if (E.isRight(repaired)) sayRepaired(log, manifest.name, repaired.right);
    return repaired;
  },
  linkedSince: () => server.link.linkedSince(),
  serverAnswers: () => server.link.answers(),
  log: (module, text) => log.line('supervisor', `${module}: ${text}`),
  output: moduleOutput(log),
});

/** What a module writes, for as long as it is as much as a person can read. */
const moduleOutput = (log: BrokerLog): ((module: string, line: string) => void) => {
  const limits = new Map<string, LineLimit>();
  return (module, line) => {
    const limit =
      limits.get(module) ??
      new LineLimit({ burst: 2_000, perSecond: 100, say: (text) => log.line(module, text) });
    limits.set(module, limit);
    limit.line(line);
  };
};

export const assemble = (options: AssembleOptions): Parts => {
  const { open, dataDir, log, lifetime } = options;
  const { nc, jsm, producer, logId, lastSeq } = open;
  const usable = usableSnapshots(open, (text) => log.line('log', text));
  const supervisor = new Supervisor(surroundings(options, () => unowned.idle(), usable));
  const unowned = new UnownedCommands({
    producer,
    open: () => index,
    isKnown: (module) => supervisor.find(module) !== undefined,
    log: (text) => log.line('gateway', text),
  });
  const stacks = new Stacks();
  const dead = new DeadLetters({
    nc,
    jsm,
    due: () => index.letters,
    // Where the process ended, what it printed last is all that there is.
    stackOf: (module, command, code) =>
      stacks.of(module, command) ??
      (code === 'HANDLER_CRASHED' ? supervisor.find(module)?.lastWords : undefined),
    log: (text) => log.line('dead', text),
  });
  const index = new LogIndex({
    nc,
    dir: join(dataDir, 'index'),
    logId,
    lastSeq,
    onCaughtUp: () => {
      unowned.caughtUp();
      dead.wake();
    },
    onCommand: (command) => unowned.consider(command),
    onResult: ({ seq }, resultSeq) => {
      unowned.answered(seq);
      gateway.answered(seq, resultSeq);
    },
    onDead: () => dead.wake(),
    onRecord: (seq) => open.whole.met(seq),
    say: (text) => log.line('index', text),
    onLost: (problem) => open.failure.fail(problem),
  });
  lifetime.onStop(() => index.close());
  lifetime.onStop(() => dead.close());
  open.witness.watch({
    position: () => index.position,
    onLoss: open.failure.onLoss,
  });
  const gateway = new Gateway({
    nc,
    producer,
    index,
    directory: supervisor,
    refusal: options.server.refusal,
  });
  const firings = new Firings({
    nc,
    jsm: open.jsm,
    index,
    open: () => openScheduler(options),
    log: (text) => log.line('scheduler', text),
  });
  lifetime.onStop(() => firings.close());
  const schedules = new Schedules({
    nc,
    jsm: open.jsm,
    lastFiring: (schedule) => index.lastFiring(schedule),
    onStream: () => firings.wake(),
  });
  return { supervisor, index, gateway, schedules, firings, stacks };
};

/** The producer of commands that schedules sent. */
const SCHEDULER = 'scheduler';

const openScheduler = ({ open, log }: AssembleOptions): TaskEither<Fault, Producer> => {
  const { nc, under, durability } = open;
  return Producer.open({
    nc,
    name: SCHEDULER,
    epochs: brokerEpochs({ nc, producer: SCHEDULER, under, prefixes: ['cmd.'] }),
    grouping: GROUPING[durability],
    onReplaced: open.replaced,
    onReopen: (reason) => log.line(SCHEDULER, `a new epoch is opened: ${reason.message}`),
  });
};
