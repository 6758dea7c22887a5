import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isLeft, right } from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { makeDirs } from '../../system/files/make-dirs.js';
import { writeOut } from '../../system/files/out-file.js';
import { startReaper } from '../../system/processes/reaper.js';
import burst from '../../modules/burst/index.js';
import burstCalls from '../../modules/burst-calls/index.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import type { Installation } from '../../perf/burst/installation.js';
import type { BurstRun } from '../../perf/burst/burst-outcome.js';
import { startOwnBroker } from '../../perf/burst/own-broker.js';
import { picture } from '../../perf/burst/picture.js';
import { type BurstOptions, runBurst } from '../../perf/burst/run-burst.js';
import { type Fault, FaultError } from '../../schemas/errors.js';
import type { Durability } from '../../schemas/log.js';
import { burstText } from '../text/burst-text.js';
import { burstNews, burstView } from '../text/burst-view.js';
import { EXIT, type ExitCode } from '../output/exit.js';
import { asTyped } from '../output/typed-program.js';
import { print, printJson, printNote } from '../output/output.js';
import { MODULES } from './run-broker.js';
import { faultThrown } from '../output/thrown-fault.js';

export interface BurstCommand
  extends Pick<
    BurstOptions,
    'kind' | 'rates' | 'producers' | 'agents' | 'size' | 'faults' | 'maxRecoverySeconds'
  > {
  readonly durability: Durability;
  readonly runs: number;
  /** Directory for files to keep; undefined: none. */
  readonly keep: string | undefined;
  /** File for the picture. */
  readonly picture: string | undefined;
  readonly json: boolean;
  /** Whether a program follows the load. */
  readonly moments: boolean;
  /** The running broker to use; undefined: a new broker for each run. */
  readonly on: TE.TaskEither<Fault, Installation> | undefined;
}

const PROGRAM = join(import.meta.dirname, '..', 'tallystick.js');

const codeOf = { events: burst, calls: burstCalls } as unknown as Record<BurstOptions['kind'], AnyModule>;

/** The name of a file of one of several runs: `burst.svg`, `burst-2.svg`. */
const numbered = (path: string, run: number, runs: number): string =>
  runs === 1 ? path : path.replace(/(\.[^.]*)?$/, (extension) => `-${run}${extension}`);

const one = async (request: BurstCommand, dir: string): Promise<BurstRun> => {
  const { kind, durability, on, json } = request;
  const reaper = startReaper();
  const open = async (): Promise<Installation> => {
    if (on === undefined)
      return startOwnBroker({ program: PROGRAM, modulesDir: MODULES, dir, kind, durability });
    const opened = await on();
    if (isLeft(opened)) throw new FaultError(opened.left);
    return opened.right;
  };
  const view = request.moments ? burstNews() : burstView(json && !process.stderr.isTTY);
  try {
    if (on === undefined) view.stage('a new broker starts');
    await using installation = await open();
    return await runBurst(installation, { ...request, dir, module: codeOf[kind], reaper, view });
  } finally {
    reaper.close();
  }
};

const tell = ({ outcome }: BurstRun, { json, runs }: BurstCommand, run: number): void => {
  if (json) printJson(outcome);
  else print(`${runs === 1 ? '' : `run ${run} of ${runs}: `}${asTyped(burstText(outcome))}`);
};

/** `burst`: done if no run lost, duplicated or reordered a record and each recovered in time; otherwise no. */
export const burstTest =
  (request: BurstCommand): TE.TaskEither<Fault, ExitCode> =>
  async () => {
    const { runs, keep, json } = request;
    let bad = 0;
    for (let run = 1; run <= runs; run++) {
      const dir =
        keep === undefined
          ? mkdtempSync(join(tmpdir(), 'tallystick-burst-'))
          : resolve(runs === 1 ? keep : join(keep, String(run)));
      makeDirs(dir);
      const clean = (): void => {
        if (keep === undefined) rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
      };
      process.once('exit', clean);
      try {
        const done = await one(request, dir);
        if (request.picture !== undefined) {
          const path = numbered(resolve(request.picture), run, runs);
          await writeOut(path, picture(done));
          if (!json) printNote(`picture: ${path}`, false, {});
        }
        tell(done, request, run);
        if (!done.outcome.ok) bad += 1;
      } catch (error) {
        return TE.left(faultThrown(error))();
      } finally {
        clean();
        process.off('exit', clean);
      }
    }
    if (runs > 1) {
      printNote(`${runs - bad} of ${runs} runs are ok`, json, { runs, ok: runs - bad });
    }
    return right(bad === 0 ? EXIT.done : EXIT.no);
  };
