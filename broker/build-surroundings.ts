import type { HostSpare } from './supervisor/host-spare.js';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../schemas/errors.js';
import type { BrokerLog } from '../system/lines/broker-log.js';
import { cancelledPage } from './cancel/cancelled-page.js';
import type { HandlerCalls } from './gateway/handler-calls.js';
import type { UnownedCommands } from './gateway/unowned.js';
import type { Hearings } from './hearing/hearings.js';
import type { LogIndex } from './index/log-index.js';
import type { WakeNews } from './waits/wake-news.js';
import { readLogBatches } from '../journal/read/reader.js';
import type { Access } from './access/access.js';
import type { Witness } from './log/witness.js';
import type { BrokerLines } from './lines/broker-lines.js';
import type { Reaper } from '../system/processes/reaper.js';
import type { Link } from './server/link.js';
import { EpochPace } from './supervisor/epoch-pace.js';
import type { ModuleSource } from './supervisor/manifest-file.js';
import type { ModuleConfigs } from './config/module-configs.js';
import type { Sealing } from './sealing/sealing.js';
import type { MarksMemory } from './supervisor/marks-memory.js';
import type { ModuleCages } from './supervisor/module-cages.js';
import {
  endFold,
  type ModuleEpoch,
  type ModuleStartContext,
  openModuleEpoch,
  startModule,
} from './supervisor/module-start.js';
import { pastFilters } from './supervisor/own-past.js';
import type { ModuleSurroundings } from './supervisor/module-surroundings.js';
import { tryOut } from './supervisor/run-trial.js';
import type { dropSnapshotsAhead } from './supervisor/drop-snapshots-ahead.js';

export interface SurroundingsOptions {
  readonly server: {
    readonly url: string;
    readonly access: Pick<Access, 'cut' | 'grant' | 'revoke'>;
    readonly link: Pick<Link, 'linkedSince' | 'answers'>;
  };
  readonly open: ModuleStartContext & { readonly witness: Pick<Witness, 'checked'> };
  readonly dataDir: string;
  readonly hostEntry: string;
  readonly spare?: HostSpare | undefined;
  /** Of the modules that a debugger may attach to. */
  readonly inspectPorts?: ReadonlyMap<string, number>;
  readonly cages: ModuleCages;
  readonly marks?: Pick<MarksMemory, 'learn'>;
  readonly sealing: Sealing;
  readonly configs?: ModuleConfigs;
  readonly reaper: Reaper;
  readonly log: BrokerLines;
}

/** The parts of the broker that know what becomes of the commands of a module. */
export interface CommandParts {
  readonly index: LogIndex;
  readonly unowned: UnownedCommands;
  readonly handlerCalls: HandlerCalls;
  readonly wakeNews: WakeNews;
  /** Undefined: no module listens to events. */
  readonly hearings?: Pick<Hearings, 'learn' | 'settled' | 'removed'>;
}

/** Copies that may not be stored are named one by one up to here. */
const LISTED = 10;

/** Reports the copies that a crash left out; nothing is left out silently. */
const sayRepaired = (
  log: BrokerLog,
  module: string,
  { republished, refused }: Pick<ModuleEpoch, 'republished' | 'refused'>,
): void => {
  if (republished > 0) log.line(module, `${republished} copies that a crash left out are stored`, { module });
  for (const { decision, cause, part, why } of refused.slice(0, LISTED)) {
    log.line(module, `copy ${part} of result ${decision} of command ${cause} is not stored: ${why}`, {
      level: 'warn',
      module,
      seq: cause,
    });
  }
  if (refused.length > LISTED) {
    log.line(module, `${refused.length - LISTED} more copies are not stored; replay verify lists them`, {
      level: 'warn',
      module,
    });
  }
};

/** Tries the code that is in a module's directory now, and says in the log what was tried. */
const tryReload = (
  source: ModuleSource,
  { server, open, dataDir, hostEntry, cages, sealing, reaper, log }: SurroundingsOptions,
): TE.TaskEither<Fault, void> => {
  const { name, start } = source.manifest;
  const filters = pastFilters(source.manifest);
  if ('command' in start) {
    log.line('supervisor', `${name}: a program in another language is reloaded without a trial of its code`, {
      module: name,
    });
    return TE.right(undefined);
  }
  return pipe(
    tryOut({
      source,
      hostEntry,
      natsUrl: server.url,
      snapshotsDir: join(dataDir, 'snapshots', name),
      past: () => sealing.opened(name, readLogBatches(open.nc, { filters })),
      cages,
      reaper,
      onLine: ({ msg, level = 'info' }) => log.ofModule(name, { msg: `trial: ${msg}`, level }),
    }),
    TE.map(({ records, isWhole }) => {
      const far = isWhole
        ? `its ${records} records`
        : `the first ${records} of its records, as many as there was time for`;
      return log.line('supervisor', `${name}: the new code loads and folds ${far}`, { module: name });
    }),
  );
};

/** The index reads what it has missed within this time, or the caller learns that it did not. */
const READ_WAIT_MS = 30_000;

/** What a module needs of the broker. */
export const surroundings = (
  options: SurroundingsOptions,
  { index, unowned, handlerCalls, hearings, wakeNews }: CommandParts,
  usable: ReturnType<typeof dropSnapshotsAhead>,
): ModuleSurroundings => {
  const {
    server,
    open,
    dataDir,
    hostEntry,
    spare,
    inspectPorts,
    cages,
    marks,
    sealing,
    configs,
    reaper,
    log,
  } = options;
  return {
    hostEntry,
    natsUrl: server.url,
    snapshotsDir: (module) => join(dataDir, 'snapshots', module),
    spare,
    cages,
    configs,
    learn: (manifest) => {
      marks?.learn(manifest);
      sealing.learn(manifest);
      hearings?.learn(manifest);
    },
    keysOf: (module) => sealing.keysOf(module),
    reaper,
    inspectPort: (module) => inspectPorts?.get(module),
    grant: (manifest) => server.access.grant(manifest),
    cut: (manifest) => server.access.cut(manifest),
    newPace: () => new EpochPace(),
    revoke: (module) => server.access.revoke(module),
    start: (manifest, request) => async () => {
      // Answers that the broker is writing are to be found in the log.
      await unowned.idle();
      const heard = await hearings?.settled(manifest.name)();
      if (heard !== undefined && E.isLeft(heard)) return heard;
      // A server that came back with another log: what a module remembers of the one before must not go into it.
      const loss = await open.witness.checked();
      if (loss !== undefined) return E.left(fault(loss.code, loss.message));
      const started = await startModule(open, index, manifest, usable(manifest.name, request))();
      if (E.isLeft(started)) return started;
      const { republished, refused, ...reply } = started.right;
      sayRepaired(log, manifest.name, { republished, refused });
      const isAnyCancelled = index.cancelled.page(manifest.name, 0, 1).length > 0;
      return E.right(isAnyCancelled ? { ...reply, cancelled: true } : reply);
    },
    started: (module) => endFold(open, module),
    repair: (manifest) => async () => {
      const repaired = await openModuleEpoch(open, index, manifest)();
      if (E.isRight(repaired)) sayRepaired(log, manifest.name, repaired.right);
      return repaired;
    },
    tryOut: (source) => tryReload(source, options),
    settle: (manifest) => async () => {
      const silent = await hearings?.removed(manifest)();
      if (silent !== undefined && E.isLeft(silent)) return silent;
      const settled = await openModuleEpoch(open, index, manifest)();
      if (E.isLeft(settled)) return settled;
      sayRepaired(log, manifest.name, settled.right);
      const { epoch } = settled.right;
      if (await index.reachedWithin(epoch, READ_WAIT_MS)) return E.right(undefined);
      return E.left(
        fault('LOG_UNAVAILABLE', `the log was not read up to ${epoch} in time; nothing was removed`),
      );
    },
    recordedCalls: (module, cause, fromSeq) => () => handlerCalls.recorded(module, cause, fromSeq),
    recordedStep: (module, cause, call, fromSeq) =>
      pipe(
        () => handlerCalls.recorded(module, cause, fromSeq),
        TE.chain(() => () => handlerCalls.recordedAt(module, cause, call)),
      ),
    wakesAfter: (module, after) => TE.fromTask(() => wakeNews.after(module, after)),
    cancelled: (module, after) => cancelledPage(index.cancelled, module, after),
    waiting: (module) => index.commands.countOf(module),
    forgotten: async (module) => {
      await unowned.forgotten(module);
      await unowned.idle();
    },
    linkedSince: () => server.link.linkedSince(),
    serverAnswers: () => server.link.answers(),
    log: (module, text, level = 'info') => log.line('supervisor', `${module}: ${text}`, { level, module }),
    output: log.ofModule,
  };
};
