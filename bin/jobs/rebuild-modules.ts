import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { checkSnapshots } from '../../replay/rebuild/check.js';
import { adoptRebuilt, type RebuiltModule, rebuildSnapshots } from '../../replay/rebuild/rebuild-states.js';
import type { WholeFoldOptions } from '../../replay/rebuild/whole-fold.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { type ModuleInfo, type ModuleStatus, OPS } from '../../schemas/operate.js';
import type { Masks } from '../../schemas/masks.js';
import { maskedStates } from './masked-steps.js';
import { differenceText } from '../text/difference-text.js';
import { EXIT, type ExitCode } from '../output/exit.js';
import { moduleCode, moduleInfo } from './module-code.js';
import { print, printError, printJson } from '../output/output.js';
import { fittedTable } from '../text/fitted-table.js';
import { type ProgressBar, progressBar } from '../text/progress-bar.js';
import { ask } from '../../link/request-broker.js';
import { done } from '../output/run-command.js';
import { moreTime } from '../connect/slow-request.js';

export interface RebuildRequest {
  readonly nc: NatsConnection;
  readonly dataDir: string;
  /** Modules; none: all loaded modules. */
  readonly names: readonly string[];
  readonly json: boolean;
  readonly masks: Masks;
}

/** The broker limits how long a drain and a start may take. */
const RELOAD_WAIT_MS = 120_000;

const chosen = ({ nc, names }: RebuildRequest): TE.TaskEither<Fault, readonly ModuleInfo[]> =>
  pipe(
    ask<{ modules: readonly ModuleStatus[] }>(nc, OPS.moduleList),
    TE.map(({ modules }) => modules.filter(({ state }) => state === 'loaded').map(({ name }) => name)),
    TE.chain((loaded) =>
      TE.traverseSeqArray((name: string) => moduleInfo(nc, name))(
        names.length === 0 ? loaded : [...new Set(names)],
      ),
    ),
    // A program in another language has no snapshots here. If you name one, the command reports that.
    TE.map((infos) => infos.filter(({ manifest }) => names.length > 0 || 'entry' in manifest.start)),
  );

/** Folds, with a progress bar. */
const withBar =
  <T>(
    work: (onProgress: NonNullable<WholeFoldOptions['onProgress']>) => TE.TaskEither<Fault, T>,
  ): TE.TaskEither<Fault, T> =>
  async () => {
    let bar: ProgressBar | undefined;
    try {
      return await work((seq, lastSeq) => {
        bar ??= progressBar('records', lastSeq);
        bar.update(seq);
      })();
    } finally {
      bar?.[Symbol.dispose]();
    }
  };

/** The common part of both commands: the chosen modules with their code, and a progress bar. */
const folded = <T>(
  request: RebuildRequest,
  work: (options: WholeFoldOptions) => TE.TaskEither<Fault, T>,
): TE.TaskEither<Fault, { readonly infos: readonly ModuleInfo[]; readonly found: T }> => {
  const { nc, dataDir } = request;
  return pipe(
    chosen(request),
    TE.bindTo('infos'),
    TE.bind('modules', ({ infos }) =>
      TE.traverseSeqArray(({ name }: ModuleInfo) => moduleCode(nc, name, undefined))(infos),
    ),
    TE.bind('found', ({ modules }) => withBar((onProgress) => work({ nc, dataDir, modules, onProgress }))),
  );
};

/** Whether a module has or gets a process: the process reads its snapshots when it starts. */
const isRunning = ({ state }: ModuleStatus): boolean => state !== 'unloaded' && state !== 'known';

/** Restarts the module with the rebuilt states. Readers see the old states until then. */
const swap =
  ({ nc, dataDir }: RebuildRequest, info: ModuleInfo, rebuilt: RebuiltModule): TE.TaskEither<Fault, void> =>
  async () => {
    adoptRebuilt(dataDir, rebuilt);
    if (!isRunning(info)) return right(undefined);
    // The same code has just folded the whole past: a trial would do that again.
    const body = { name: info.name, untried: true, waitMs: RELOAD_WAIT_MS };
    const reloaded = await ask(nc, OPS.moduleReload, body, moreTime({}, RELOAD_WAIT_MS).timeout)();
    if (!isLeft(reloaded)) return right(undefined);
    const { code, message } = reloaded.left;
    return left(
      fault(
        code,
        `${info.name} is rebuilt, but does not start: ${message}; its next start uses the new states`,
      ),
    );
  };

/** Folds all states from the log again, and restarts the modules with the new states. */
export const rebuild =
  (request: RebuildRequest): TE.TaskEither<Fault, ExitCode> =>
  async () => {
    const { json } = request;
    const outcome = await folded(request, rebuildSnapshots)();
    if (isLeft(outcome)) return outcome;
    const { infos, found } = outcome.right;
    const rebuilt = found.modules.map((each, i) => ({ ...each, info: infos[i] as ModuleInfo }));
    for (const { info, ...each } of rebuilt) {
      const swapped = await swap(request, info, each)();
      if (isLeft(swapped)) return swapped;
    }
    const { seconds, lastSeq } = found;
    if (json) {
      const lines = rebuilt.map(({ module, agents, changes, seq, info }) => ({
        module,
        agents,
        changes,
        seq,
        swapped: isRunning(info),
      }));
      printJson({ modules: lines, lastSeq, seconds });
      return right(done);
    }
    const rows = rebuilt.map(({ module, agents, changes, seq, info }) => {
      const when = isRunning(info) ? 'now' : 'when it is loaded';
      return [module, `${agents}`, `${changes}`, `${seq}`, when];
    });
    print(fittedTable(['MODULE', 'AGENTS', 'CHANGES', 'UP TO', 'READ'], rows, { keys: ['MODULE'] }));
    print(`\nfolded from ${lastSeq} records in ${seconds.toFixed(1)} s`);
    return right(done);
  };

/** Compares all states with the log. Exit code 1 and STATE_DIFFERS with the first state that differs. */
export const check =
  (request: RebuildRequest, timeoutMs: number): TE.TaskEither<Fault, ExitCode> =>
  async () => {
    const { json } = request;
    const outcome = await folded(request, (options) => checkSnapshots({ ...options, timeoutMs }))();
    if (isLeft(outcome)) return outcome;
    const { modules, seconds, ...found } = outcome.right.found;
    const difference =
      found.difference === undefined ? undefined : maskedStates(request.masks, found.difference);
    const same = difference === undefined;
    if (json) printJson({ same, modules, difference: difference ?? null, seconds });
    else {
      const rows = modules.map(({ module, agents, changes }) => [module, `${agents}`, `${changes}`]);
      print(fittedTable(['MODULE', 'AGENTS', 'CHANGES'], rows, { keys: ['MODULE'] }));
      if (same) print(`\nall states match the log; compared in ${seconds.toFixed(1)} s`);
    }
    if (same) return right(done);
    printError(fault('STATE_DIFFERS', differenceText(difference)), json);
    return right(EXIT.no);
  };
